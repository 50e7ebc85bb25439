"""CSI volumes with the real API server and a storage driver that speaks gRPC over its socket: it mounts memory."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from kube.api.attachment_name import attachment_name
from kube.api.meta import Key, Tree, key_of
from kube.api.types import CSIDriver, CSINode, Node, PersistentVolume, Pod, VolumeAttachment
from kube.api.views import view
from kube.client.rest import Client
from kubelet.csi import messages
from kubelet.csi.messages import Call
from kubelet.csi.plugins import REGISTRY, Plugins
from kubelet.csi.protobuf import decode, encode
from kubelet.downward import PodFacts
from kubelet.volumes import mounts
from kubelet.volumes.csi import CSIVolume
from kubelet.volumes.volume import VolumeContext, VolumeError
from tests.wait import eventually

DRIVER = "memory.example.com"


class MemoryDriver:
    """A node plugin with its registrar, in one server."""

    def __init__(self, socket: Path) -> None:
        self.calls: list[tuple[str, Tree]] = []
        self._socket = socket
        self._server = grpc.aio.server()

    async def start(self) -> None:
        answers: list[tuple[Call, Tree]] = [
            (messages.GET_INFO, {"type": "CSIPlugin", "name": DRIVER, "supported_versions": ["1.0.0"]}),
            (
                messages.NODE_GET_INFO,
                {
                    "node_id": "node-7",
                    "max_volumes_per_node": 3,
                    "accessible_topology": {"segments": {"example.com/rack": "r1"}},
                },
            ),
            (messages.NODE_GET_CAPABILITIES, {"capabilities": [{"rpc": {"type": messages.STAGE_UNSTAGE}}]}),
            *((call, {}) for call in (messages.NOTIFY, messages.NODE_STAGE, messages.NODE_UNSTAGE)),
            *((call, {}) for call in (messages.NODE_PUBLISH, messages.NODE_UNPUBLISH)),
        ]
        services: dict[str, dict[str, Any]] = {}
        for call, answer in answers:
            _, service, method = call.path.split("/")
            services.setdefault(service, {})[method] = grpc.unary_unary_rpc_method_handler(self._handler(call, answer))
        for service, handlers in services.items():
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self._server.add_insecure_port(f"unix://{self._socket}")
        await self._server.start()

    def _handler(self, call: Call, answer: Tree) -> Any:
        async def handle(request: bytes, context: Any) -> bytes:
            values = decode(call.request, request)
            self.calls.append((call.path.rpartition("/")[2], values))
            if call is messages.NODE_PUBLISH:
                mounts.memory(Path(values["target_path"]))
            if call is messages.NODE_UNPUBLISH:
                mounts.release(Path(values["target_path"]))
            return encode(call.answer, answer)

        return handle

    async def stop(self) -> None:
        await self._server.stop(None)
        self._socket.unlink(missing_ok=True)

    def named(self, method: str) -> list[Tree]:
        return [values for name, values in self.calls if name == method]


@pytest.fixture
def root() -> Iterator[Path]:
    """Short: Unix sockets' paths are limited to 108 bytes."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)
        mounts.unmount_below(Path(directory))


def a_context(root: Path, pod: Pod, name: str, persistent: PersistentVolume | None) -> VolumeContext:
    async def none(*_: Any) -> Any:
        raise AssertionError("neither tokens nor images are asked for")

    path = root / "pods" / pod.metadata.uid / "volumes" / CSIVolume.plugin / name
    return VolumeContext(pod, path, {}, PodFacts(), none, none, datetime.now(UTC), persistent)


def a_pod(name: str) -> Pod:
    security = {"fsGroup": 2000}
    spec = {"containers": [{"name": "c", "image": "i"}], "securityContext": security, "serviceAccountName": "worker"}
    return view(Pod, {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}, "spec": spec})


async def registered(client: Client, root: Path) -> tuple[MemoryDriver, Plugins, "asyncio.Task[None]"]:
    await client.create(Node, {"metadata": {"name": "n"}})
    plugins = Plugins(root, "n", client)
    (root / REGISTRY).mkdir()
    task = asyncio.ensure_future(plugins.run())
    driver = MemoryDriver(root / REGISTRY / "memory-reg.sock")
    await driver.start()

    async def told() -> bool:
        return driver.named("NotifyRegistrationStatus") == [{"plugin_registered": True}]

    await eventually(told, within=20, what="the driver to be registered")
    return driver, plugins, task


async def attached(client: Client, handle: str) -> None:
    name = attachment_name(handle, DRIVER, "n")
    spec = {"attacher": DRIVER, "nodeName": "n", "source": {"persistentVolumeName": "v"}}
    await client.create(VolumeAttachment, {"metadata": {"name": name}, "spec": spec})
    status = {"attached": True, "attachmentMetadata": {"lun": "4"}}
    await client.patch(VolumeAttachment, Key("", name), {"status": status}, subresource="status")


@pytest.mark.root
def test_a_drivers_volume_is_attached_staged_and_published_and_given_back(
    runner: asyncio.Runner, client: Client, root: Path
) -> None:
    """The driver is listed in the CSINode while its socket is there; two pods share a volume, and the last one unstages it.

    Rule: https://kubernetes.io/docs/concepts/storage/volumes/#csi
    """

    async def scenario() -> None:
        driver, plugins, task = await registered(client, root)
        node = await client.get(CSINode, "", "n")
        assert [(one.name, one.nodeID, one.topologyKeys, one.allocatable.count) for one in node.spec.drivers] == [
            (DRIVER, "node-7", ["example.com/rack"], 3)
        ]
        assert (await client.get(Node, "", "n")).metadata.labels["example.com/rack"] == "r1"
        csi = {"driver": DRIVER, "volumeHandle": "h", "fsType": "ext4", "volumeAttributes": {"speed": "high"}}
        spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "csi": csi, "mountOptions": ["noatime"]}
        volume = view(PersistentVolume, await client.create(PersistentVolume, {"metadata": {"name": "v"}, "spec": spec}))
        kind, contexts = CSIVolume(plugins), [a_context(root, a_pod(name), "v", volume) for name in ("one", "two")]
        with pytest.raises(VolumeError, match=r"volume attachment csi-[0-9a-f]{64} cannot be read"):
            await kind.set_up(volume.spec.csi, contexts[0])
        await attached(client, "h")
        paths = [(await kind.set_up(volume.spec.csi, context)).path for context in contexts]
        await kind.set_up(volume.spec.csi, contexts[0])
        assert all(mounts.is_mounted(path) and path.stat().st_gid == 2000 for path in paths)
        stage, publish = driver.named("NodeStageVolume")[0], driver.named("NodePublishVolume")
        assert len(publish) == 2
        assert (stage["volume_id"], stage["publish_context"], stage["volume_context"]) == ("h", {"lun": "4"}, {"speed": "high"})
        assert stage["volume_capability"]["mount"] == {"fs_type": "ext4", "mount_flags": ["noatime"]}
        assert stage["volume_capability"]["access_mode"] == {"mode": messages.SINGLE_NODE_WRITER}
        assert publish[0]["staging_target_path"] == stage["staging_target_path"]
        await CSIVolume(plugins).tear_down(contexts[0].path)  # as a kubelet does that was started since
        assert driver.named("NodeUnstageVolume") == []
        await kind.tear_down(contexts[1].path)
        unstage = {"volume_id": "h", "staging_target_path": stage["staging_target_path"]}
        assert driver.named("NodeUnstageVolume") == [unstage]
        assert mounts.mounted_below(root) == []
        assert not any(context.path.exists() for context in contexts)
        await driver.stop()

        async def unlisted() -> bool:
            return not (await client.get(CSINode, "", "n")).spec.drivers

        await eventually(unlisted, within=20, what="the driver to be unlisted")
        with pytest.raises(VolumeError, match="not found in the list of registered CSI drivers"):
            await kind.set_up(volume.spec.csi, contexts[0])
        await ended(task)

    runner.run(scenario())


@pytest.mark.root
def test_a_volume_in_the_pod_itself_is_published_with_what_the_driver_wants_to_know(
    runner: asyncio.Runner, client: Client, root: Path
) -> None:
    """It is neither attached nor staged.

    Rule: https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#csi-ephemeral-volumes
    """

    async def scenario() -> None:
        driver, plugins, task = await registered(client, root)
        wishes = {"attachRequired": False, "podInfoOnMount": True, "volumeLifecycleModes": ["Ephemeral"], "fsGroupPolicy": "None"}
        await client.create(CSIDriver, {"metadata": {"name": DRIVER}, "spec": wishes})
        pod = a_pod("one")
        source = view(Pod, {"spec": {"containers": [], "volumes": [{"name": "s", "csi": {"driver": DRIVER, "readOnly": True}}]}})
        context, kind = a_context(root, pod, "s", None), CSIVolume(plugins)
        mounted = await kind.set_up(source.spec.volumes[0].csi, context)
        publish = driver.named("NodePublishVolume")[0]
        assert publish["volume_id"].startswith("csi-")
        assert publish["readonly"] is True
        assert publish["volume_context"] == {
            "csi.storage.k8s.io/pod.name": "one",
            "csi.storage.k8s.io/pod.namespace": "default",
            "csi.storage.k8s.io/pod.uid": key_uid(pod),
            "csi.storage.k8s.io/serviceAccount.name": "worker",
            "csi.storage.k8s.io/ephemeral": "true",
        }
        assert mounted.path.stat().st_gid == 0
        await kind.tear_down(context.path)
        assert (driver.named("NodeStageVolume"), mounts.mounted_below(root)) == ([], [])
        await driver.stop()
        await ended(task)

    runner.run(scenario())


def key_uid(pod: Pod) -> str:
    return f"uid-{key_of(pod).name}"


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
