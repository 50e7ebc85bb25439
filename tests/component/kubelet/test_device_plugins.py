"""Device plugins that speak gRPC over their sockets, and a device manager that starts anew under them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest

from kube.api.types import Pod
from kube.component.clock import SystemClock
from kubelet.devices.manager import DIRECTORY, GRACE_SECONDS, DeviceManager, NotAllocated
from kubelet.devices.registration import INNER, SOCKET
from kubelet.node_status import Devices
from tests.device_plugin import RESOURCE, LedPlugin
from tests.unit.kubelet.pods import a_container, a_pod
from tests.wait import eventually

THREE = {"a": "Healthy", "b": "Unhealthy", "c": "Healthy"}
ANSWER = {"envs": {"LED": "on"}}


class Ahead(SystemClock):
    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@pytest.fixture
def root() -> Iterator[Path]:
    """Short: Unix sockets' paths are limited to 108 bytes."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@asynccontextmanager
async def running(root: Path, clock: SystemClock) -> AsyncIterator[DeviceManager]:
    manager = DeviceManager(root, clock)
    task = asyncio.create_task(manager.run())
    try:

        async def served() -> bool:
            return (root / DIRECTORY / SOCKET).is_socket()

        await eventually(served, 5, "the registration socket")
        yield manager
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def asking(count: int, uid: str) -> Pod:
    container = a_container("main", resources={"limits": {RESOURCE: str(count)}})
    return a_pod(containers=[container], metadata={"name": uid, "uid": uid})


async def there(manager: DeviceManager, count: int, usable: int) -> None:
    wanted = Devices({RESOURCE: count}, {RESOURCE: usable})

    async def told() -> bool:
        return manager.node_devices() == wanted

    await eventually(told, 5, f"{usable} of {count} devices")


def test_a_plugins_devices_are_the_nodes_and_go_with_it(root: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/"""
    clock = Ahead()

    async def story() -> None:
        async with running(root, clock) as manager:
            looks: list[Devices] = []
            manager.on_change = lambda: looks.append(manager.node_devices())
            plugin = LedPlugin(root / DIRECTORY)
            await asyncio.to_thread(plugin.start, **THREE)
            for wrong, told in (({"version": "v9"}, "v9"), ({"resource_name": "cpu"}, 'ResourceName "cpu" is invalid')):
                with pytest.raises(grpc.RpcError, match=told):
                    await asyncio.to_thread(plugin.register, **wrong)
            await asyncio.to_thread(plugin.register)
            await there(manager, 3, 2)
            plugin.tell(a="Healthy", b="Healthy", c="Unhealthy", d="Healthy")
            await there(manager, 4, 3)
            await asyncio.to_thread(plugin.stop)
            await there(manager, 4, 0)
            assert looks[-1] == manager.node_devices()
            clock.ahead = GRACE_SECONDS
            await there(manager, 0, 0)
        async with running(root, clock) as manager:
            await there(manager, 0, 0)  # known of before: nobody else tells of it

    asyncio.run(story())


def test_a_plugin_that_cannot_be_heard_ends_no_kubelet(root: Path) -> None:
    """Rule: what a plugin, or who cleans up its directory, does is no reason for the node's pods to be left alone."""

    async def story() -> None:
        async with running(root, SystemClock()) as manager:
            plugin = LedPlugin(root / DIRECTORY)
            await asyncio.to_thread(plugin.start, **THREE)
            await asyncio.to_thread(plugin.register)
            await there(manager, 3, 2)
            (root / DIRECTORY / INNER).unlink()
            reader, writer = await asyncio.open_unix_connection(root / DIRECTORY / SOCKET)
            assert await reader.read() == b"", "closed, without an answer"
            writer.close()
            plugin.tell(a="Healthy", b="Healthy", c="Healthy")
            await there(manager, 3, 3)
            await asyncio.to_thread(plugin.stop)

    asyncio.run(story())


def test_devices_are_asked_for_once_and_belong_to_their_pod_across_kubelets_until_it_is_gone(root: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/, behaviour E.5.63"""
    clock = SystemClock()
    options = {"pre_start_required": True, "get_preferred_allocation_available": True}

    async def story() -> None:
        pod, other = asking(1, "one"), asking(2, "two")
        async with running(root, clock) as manager:
            plugin = LedPlugin(root / DIRECTORY, options=options, answer=ANSWER)
            plugin.prefers = ["c"]
            await asyncio.to_thread(plugin.start, **THREE)
            await asyncio.to_thread(plugin.register)
            await there(manager, 3, 2)
            assert manager.claim(pod) is None
            refusal = manager.claim(other)
            assert refusal == (
                "UnexpectedAdmissionError",
                "Allocate failed due to requested number of devices unavailable for example.com/led. Requested: 2, Available: 1, "
                "which is unexpected",
            )
            await manager.allocate(pod)
            await manager.allocate(pod)
            assert (await manager.granted(pod, pod.spec.containers[0])).env == {"LED": "on"}
            assert plugin.named("Allocate") == [{"container_requests": [{"devices_ids": ["c"]}]}]
            preference = {"available_deviceIDs": ["a", "c"], "allocation_size": 1}
            assert plugin.named("GetPreferredAllocation") == [{"container_requests": [preference]}]
            assert plugin.named("PreStartContainer") == [{"devices_ids": ["c"]}]
            await asyncio.to_thread(plugin.stop)
        async with running(root, clock) as manager:
            assert manager.claim(pod) is None
            await manager.allocate(pod)
            assert (await manager.granted(pod, pod.spec.containers[0])).env == {"LED": "on"}
            plugin = LedPlugin(root / DIRECTORY, answer=ANSWER)
            await asyncio.to_thread(plugin.start, **THREE)
            await asyncio.to_thread(plugin.register)
            await there(manager, 3, 2)
            assert manager.claim(other) is not None
            manager.keep_only({"two"})
            assert manager.claim(other) is None
            plugin.refuses = "the leds are hot"
            with pytest.raises(NotAllocated, match=r"^Allocate failed due to rpc error: code = Internal desc = the leds are hot, "):
                await manager.allocate(other)
            manager.release("two")
            assert manager.claim(asking(2, "three")) is None
            await asyncio.to_thread(plugin.stop)

    asyncio.run(story())
