"""CSI volumes with the real API server and a storage driver that speaks gRPC over its socket: it mounts memory."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kube.api.attachment_name import attachment_name, volume_name
from kube.api.meta import Key
from kube.api.types import CSIDriver, CSINode, CSIVolumeSource, Node, PersistentVolume, Pod, VolumeAttachment
from kube.api.views import tree_of, view
from kube.client.rest import Client
from kubelet.csi import messages
from kubelet.csi.plugins import REGISTRY, Plugins
from kubelet.disk_usage import FileSystem, Taken, VolumeUsage
from kubelet.downward import PodFacts
from kubelet.volumes import mounts
from kubelet.volumes.csi import CSIVolume
from kubelet.volumes.volume import NotAttached, Token, VolumeContext, VolumeError
from tests.csi_driver import DRIVER, MemoryDriver
from tests.wait import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HANDLE, IN_USE = "h", volume_name(DRIVER, "h")


@pytest.fixture
def root() -> Iterator[Path]:
    """Short: Unix sockets' paths are limited to 108 bytes."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)
        mounts.unmount_below(Path(directory))


def a_context(root: Path, pod: Pod, name: str, persistent: PersistentVolume | None = None, **more: Any) -> VolumeContext:
    async def none(*_: Any) -> Any:
        raise AssertionError("no images are asked for")

    async def token(audience: str, seconds: int) -> Token:
        return Token(f"token for {audience} of {seconds} s", NOW + timedelta(seconds=seconds))

    path = root / "pods" / pod.metadata.uid / "volumes" / CSIVolume.plugin / name
    return VolumeContext(pod, path, {}, PodFacts(), token, none, NOW, persistent, **more)


def a_pod(name: str) -> Pod:
    security = {"fsGroup": 2000}
    spec = {"containers": [{"name": "c", "image": "i"}], "securityContext": security, "serviceAccountName": "worker"}
    return view(Pod, {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}, "spec": spec})


async def a_volume(client: Client, **more: Any) -> PersistentVolume:
    csi = {"driver": DRIVER, "volumeHandle": HANDLE, "fsType": "ext4", "volumeAttributes": {"speed": "high"}}
    spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "csi": csi, "mountOptions": ["noatime"], **more}
    return view(PersistentVolume, await client.create(PersistentVolume, {"metadata": {"name": "v"}, "spec": spec}))


async def a_driver(client: Client, **wishes: Any) -> None:
    await client.create(CSIDriver, {"metadata": {"name": DRIVER}, "spec": wishes})


@asynccontextmanager
async def registered(client: Client, root: Path, *capabilities: int) -> AsyncIterator[tuple[MemoryDriver, Plugins]]:
    await client.create(Node, {"metadata": {"name": "n"}})
    plugins = Plugins(root, "n", client)
    (root / REGISTRY).mkdir()
    task = asyncio.ensure_future(plugins.run())
    driver = MemoryDriver(root / REGISTRY / "memory-reg.sock", capabilities=(messages.STAGE_UNSTAGE, *capabilities))
    driver.start()

    async def told() -> bool:
        return driver.named("NotifyRegistrationStatus") == [{"plugin_registered": True}]

    try:
        await eventually(told, within=20, what="the driver to be registered")
        yield driver, plugins
    finally:
        driver.stop()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def again_registered(root: Path, before: MemoryDriver) -> MemoryDriver:
    """A registrar that is started anew at the same place is told, too."""
    before.stop()
    driver = MemoryDriver(root / REGISTRY / "memory-reg.sock")
    driver.start()

    async def told() -> bool:
        return driver.named("NotifyRegistrationStatus") == [{"plugin_registered": True}]

    await eventually(told, within=20, what="the new registrar to be told")
    return driver


async def attached(client: Client) -> None:
    """The attacher's part, and the attach-detach controller's."""
    name = attachment_name(HANDLE, DRIVER, "n")
    spec = {"attacher": DRIVER, "nodeName": "n", "source": {"persistentVolumeName": "v"}}
    await client.create(VolumeAttachment, {"metadata": {"name": name}, "spec": spec})
    await client.patch_status(VolumeAttachment, Key("", name), {"attached": True, "attachmentMetadata": {"lun": "4"}})
    await client.patch_status(Node, Key("", "n"), {"volumesAttached": [{"name": IN_USE, "devicePath": ""}]})


async def in_use(client: Client) -> list[str]:
    return list((await client.get(Node, "", "n")).status.volumesInUse or ())


@pytest.mark.root
def test_a_driver_is_known_while_its_registrars_socket_is_there(runner: asyncio.Runner, client: Client, root: Path) -> None:
    """A registrar that is started anew at the same place is told, too; a driver that goes leaves the others listed.

    Rule: https://kubernetes.io/docs/reference/node/kubelet-files/#device-plugins, CSINode
    """

    async def scenario() -> None:
        async with registered(client, root) as (driver, plugins):
            assert all((root / name).is_dir() for name in ("plugins", "pods"))  # what drivers' own pods mount
            node = await client.get(CSINode, "", "n")
            assert [(one.name, one.nodeID, one.topologyKeys, one.allocatable.count) for one in node.spec.drivers] == [
                (DRIVER, "node-7", ["example.com/rack"], 3)
            ]
            assert (await client.get(Node, "", "n")).metadata.labels["example.com/rack"] == "r1"
            other = MemoryDriver(root / REGISTRY / "other-reg.sock", "other.example.com")
            other.start()
            (await again_registered(root, driver)).stop()

            async def unlisted() -> bool:
                listed = [one.name for one in (await client.get(CSINode, "", "n")).spec.drivers]
                return listed == ["other.example.com"]

            await eventually(unlisted, within=20, what="the driver to be unlisted, and no other")
            other.stop()
            inline = view(CSIVolumeSource, {"driver": DRIVER})
            with pytest.raises(VolumeError, match="not found in the list of registered CSI drivers"):
                await CSIVolume(plugins).set_up(inline, a_context(root, a_pod("one"), "s"))

    runner.run(scenario())


@pytest.mark.root
def test_a_drivers_volume_is_attached_staged_and_published_and_given_back(
    runner: asyncio.Runner, client: Client, root: Path
) -> None:
    """Two pods share a volume, and the last one unstages it. The node says that it uses the volume before it looks whether it is
    attached, and until nothing of it is left.

    Rule: https://kubernetes.io/docs/concepts/storage/volumes/#csi, https://kubernetes.io/docs/reference/node/node-status/
    """

    async def scenario() -> None:
        async with registered(client, root) as (driver, plugins):
            volume = await a_volume(client)
            kind, contexts = CSIVolume(plugins), [a_context(root, a_pod(name), "v", volume) for name in ("one", "two")]
            with pytest.raises(NotAttached, match="volume not attached according to node status"):
                await kind.set_up(volume.spec.csi, contexts[0])
            assert await in_use(client) == [IN_USE]
            await attached(client)
            driver.refuses["NodePublishVolume"] = "later"
            with pytest.raises(VolumeError, match="desc = later"):
                await kind.set_up(volume.spec.csi, contexts[0])
            driver.refuses.clear()
            paths = [(await kind.set_up(volume.spec.csi, context)).path for context in contexts]
            await kind.set_up(volume.spec.csi, contexts[0])
            assert all(mounts.is_mounted(path) and path.stat().st_gid == 2000 for path in paths)
            stage, publish = driver.named("NodeStageVolume")[0], driver.named("NodePublishVolume")[1:]
            assert len(publish) == 2
            assert (stage["volume_id"], stage["publish_context"]) == (HANDLE, {"lun": "4"})
            assert stage["volume_context"] == {"speed": "high"}
            assert stage["volume_capability"]["mount"] == {"fs_type": "ext4", "mount_flags": ["noatime"]}
            assert stage["volume_capability"]["access_mode"] == {"mode": messages.SINGLE_NODE_WRITER}
            assert publish[0]["staging_target_path"] == stage["staging_target_path"]
            again = Plugins(root, "n", client)  # as a kubelet has it that was started since
            again.drivers.update(plugins.drivers)
            assert again.in_use.names == [IN_USE]
            await CSIVolume(again).tear_down(contexts[0].path)
            assert (driver.named("NodeUnstageVolume"), await in_use(client)) == ([], [IN_USE])
            driver.refuses["NodeUnstageVolume"] = "busy"
            with pytest.raises(VolumeError, match="desc = busy"):
                await CSIVolume(again).tear_down(contexts[1].path)
            assert await in_use(client) == [IN_USE]
            driver.refuses.clear()
            await CSIVolume(again).tear_down(contexts[1].path)
            unstage = {"volume_id": HANDLE, "staging_target_path": stage["staging_target_path"]}
            assert driver.named("NodeUnstageVolume") == [unstage, unstage]
            assert (mounts.mounted_below(root), await in_use(client)) == ([], [])
            assert not any(context.path.exists() for context in contexts)
            assert not Path(stage["staging_target_path"]).parent.exists()

    runner.run(scenario())


@pytest.mark.root
def test_a_volume_in_the_pod_itself_is_published_with_what_the_driver_wants_to_know(
    runner: asyncio.Runner, client: Client, root: Path
) -> None:
    """It is neither attached nor staged; with requiresRepublish it is published again, with tokens that are fresh.

    Rule: https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#csi-ephemeral-volumes, KEP-1855
    """

    async def scenario() -> None:
        async with registered(client, root) as (driver, plugins):
            pod = a_pod("one")
            spec = {"containers": [], "volumes": [{"name": "s", "csi": {"driver": DRIVER, "readOnly": True}}]}
            source = view(Pod, {"spec": spec}).spec.volumes[0].csi
            context, kind = a_context(root, pod, "s"), CSIVolume(plugins)
            with pytest.raises(VolumeError, match=r'volume mode "Ephemeral" not supported by driver .* \(no CSIDriver object\)'):
                await kind.set_up(source, context)
            await a_driver(
                client, attachRequired=False, podInfoOnMount=True, volumeLifecycleModes=["Ephemeral"], fsGroupPolicy="None",
                requiresRepublish=True, tokenRequests=[{"audience": "vault", "expirationSeconds": 600}],
            )  # fmt: skip
            mounted = await kind.set_up(source, context)
            assert mounted.refresh_at == NOW + timedelta(minutes=1)
            publish = driver.named("NodePublishVolume")[0]
            assert publish["volume_id"].startswith("csi-")
            assert publish["readonly"] is True
            told = publish["volume_context"]
            token = {"token": "token for vault of 600 s", "expirationTimestamp": "2026-01-01T00:10:00Z"}
            assert json.loads(told.pop("csi.storage.k8s.io/serviceAccount.tokens")) == {"vault": token}
            assert told == {
                "csi.storage.k8s.io/pod.name": "one",
                "csi.storage.k8s.io/pod.namespace": "default",
                "csi.storage.k8s.io/pod.uid": "uid-one",
                "csi.storage.k8s.io/serviceAccount.name": "worker",
                "csi.storage.k8s.io/ephemeral": "true",
            }
            await kind.set_up(source, replace(context, now=NOW + timedelta(minutes=1)))
            assert len(driver.named("NodePublishVolume")) == 2
            assert mounted.path.stat().st_gid == 0
            await kind.tear_down(context.path)
            assert (driver.named("NodeStageVolume"), mounts.mounted_below(root)) == ([], [])

    runner.run(scenario())


@pytest.mark.root
def test_a_block_volume_is_a_device_and_what_has_grown_is_grown_here(runner: asyncio.Runner, client: Client, root: Path) -> None:
    """A file system that cannot grow now is told; the pod has what it had.

    Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support,
    https://kubernetes.io/docs/concepts/storage/persistent-volumes/#resizing-an-in-use-persistentvolumeclaim
    """

    async def scenario() -> None:
        async with registered(client, root, messages.EXPAND_VOLUME, messages.GET_VOLUME_STATS) as (driver, plugins):
            await a_driver(client, attachRequired=False)
            kind, device = CSIVolume(plugins), a_context(root, a_pod("raw"), "v", await a_volume(client, volumeMode="Block"))
            mounted = await kind.set_up(device.persistent.spec.csi, device)
            assert (mounted.device, mounted.path.is_block_device()) == (True, True)
            assert driver.named("NodePublishVolume")[0]["volume_capability"]["block"] == {}
            assert await in_use(client) == []  # it is not attached
            await kind.tear_down(device.path)
            assert not mounted.path.parent.exists()
            files, growth = view(PersistentVolume, {**tree_of(device.persistent)}), AskedToGrow(2 << 30)
            files.spec.volumeMode = "Filesystem"
            context = a_context(root, a_pod("one"), "v", files, growth=growth)
            driver.refuses["NodeExpandVolume"] = "not now"
            shown = await kind.set_up(files.spec.csi, context)
            assert growth.told == ["rpc error: code = FailedPrecondition desc = not now"]
            driver.refuses.clear()
            await kind.set_up(files.spec.csi, context)
            expand = driver.named("NodeExpandVolume")[-1]
            assert (expand["volume_path"], expand["capacity_range"]) == (str(shown.path), {"required_bytes": 2 << 30})
            assert growth.told[1:] == ["done"]
            usage = await kind.usage(context.path)
            assert usage == VolumeUsage(FileSystem(700, 1000, 7, 10), Taken(300, 3))
            await kind.tear_down(context.path)
            assert len(driver.named("NodeUnstageVolume")) == 2

    runner.run(scenario())


class AskedToGrow:
    """A claim whose volume has a size, and what it was told."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.told: list[str] = []

    async def wanted(self) -> int:
        return self.size

    def failed(self, why: str) -> None:
        self.told.append(why)

    async def done(self) -> None:
        self.told.append("done")
