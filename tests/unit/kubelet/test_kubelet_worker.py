"""A pod's worker over a runtime in memory: what it makes of a pod's life."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kube.api.meta import Key, Tree
from kube.api.types import Pod
from kube.component.clock import SystemClock
from kubelet.cgroups import Cgroups
from kubelet.claims import NoClaims
from kubelet.container_start import ContainerStart
from kubelet.container_stop import ContainerStop
from kubelet.devices.manager import DeviceManager
from kubelet.hooks import Hooks
from kubelet.http_get import HttpGet
from kubelet.images import Images
from kubelet.lifecycle import Lifecycle, Tools
from kubelet.log_keeper import LogKeeper
from kubelet.node_facts import NodeFacts
from kubelet.objects import NoObjects, no_token
from kubelet.plan import StartContainer
from kubelet.pod_memory import PodMemory
from kubelet.pod_network import UNLIMITED, Bandwidth, HostPort
from kubelet.pod_volumes import PodVolumes
from kubelet.pod_worker import PodWorker
from kubelet.probes.prober import Prober
from kubelet.probes.question import Asking
from kubelet.pulled_images import PulledImages
from kubelet.runtime.runtime import LogPolicy, RuntimeContainer, RuntimeFailure
from tests.fake_runtime import FakeRuntime
from tests.unit.kubelet.pods import UID, a_container, a_look, a_pod, ended
from tests.wait import eventually

IMAGE = "busybox:latest"
SLEEP = [a_container("main", command=["sleep", "1000"])]


class OneAddress:
    """A network that gives every pod the same address."""

    ready = True

    def __init__(self) -> None:
        self.connected: set[str] = set()

    async def setup(
        self, pod_key: Key, uid: str, pid: int, *, host_ports: Sequence[HostPort] = (), bandwidth: Bandwidth = UNLIMITED
    ) -> str:
        self.connected.add(uid)
        return "10.244.0.2"

    async def teardown(self, uid: str) -> None:
        self.connected.discard(uid)


class Told:
    """Collects events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def event(self, pod: Pod, type: str, reason: str, message: str, container: str = "") -> None:
        self.events.append((reason, message))


class World:
    """One worker, and all that it works with."""

    def __init__(self, root: Path, pod: Pod, runtime: FakeRuntime | None = None) -> None:
        self.runtime = runtime or FakeRuntime([IMAGE])
        self.network, self.told, clock = OneAddress(), Told(), SystemClock()
        facts = NodeFacts("node", root / "kubelet", root / "logs", "pause", ("192.0.2.1",))
        self.http = HttpGet()
        images, hooks = Images(self.runtime, self.told, clock, PulledImages(root)), Hooks(self.runtime, self.http)
        start = ContainerStart(self.runtime, images, hooks, self.told, facts)
        stop = ContainerStop(self.runtime, hooks, self.told, clock)
        volumes = PodVolumes(no_token, NoClaims(), images, clock)
        cgroups = Cgroups(mount=root / "cgroup")
        (root / "cgroup").mkdir(exist_ok=True)
        logs = LogKeeper(root / "logs", LogPolicy(), clock)
        self.devices = DeviceManager(root, clock)
        tools = Tools(
            self.runtime, self.network, images, start, stop, volumes, NoObjects(), cgroups, logs, self.told, clock, facts,
            self.devices,
        )  # fmt: skip
        self.status: Tree = {}
        self.gone = False
        prober = Prober(Asking(self.runtime, self.http), self.told, clock)
        self.worker = PodWorker(pod, Lifecycle(pod, tools), prober, self._report)

    def _report(self, pod: Pod, status: Tree, gone: bool) -> None:
        self.status, self.gone = status, gone

    def state(self, name: str = "main") -> Tree:
        statuses = self.status.get("containerStatuses", [])
        return next((one["state"] for one in statuses if one["name"] == name), {})

    async def wake_on_changes(self) -> None:
        while True:
            await self.runtime.changes.get()
            self.worker.wake()


def live(world: World, story: Callable[[], Awaitable[None]]) -> None:
    """Run the worker while a story is told, then leave it."""

    async def run() -> None:
        working, waking = asyncio.create_task(world.worker.run()), asyncio.create_task(world.wake_on_changes())
        try:
            async with asyncio.timeout(20):
                await story()
        finally:
            working.cancel()
            waking.cancel()
            await asyncio.gather(working, waking, return_exceptions=True)
            await world.http.close()

    asyncio.run(run())


async def comes(look: Callable[[], object], what: str) -> None:
    async def seen() -> object:
        return look()

    await eventually(seen, 5, what)


def test_a_pod_runs_and_is_told_with_its_address(tmp_path: Path) -> None:
    world = World(tmp_path, a_pod(containers=SLEEP))

    async def story() -> None:
        await comes(lambda: world.status.get("phase") == "Running", "Running")
        assert world.status["podIP"] == "10.244.0.2"
        reasons = [reason for reason, _ in world.told.events]
        assert reasons == ["Pulled", "Created", "Started"]

    live(world, story)


def test_a_deleted_pod_is_killed_at_the_end_of_its_grace_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    pod = a_pod(containers=SLEEP)
    world = World(tmp_path, pod)

    async def story() -> None:
        await comes(lambda: world.status.get("phase") == "Running", "Running")
        world.worker.leave(0)
        await comes(lambda: world.gone, "gone")
        assert world.status["phase"] == "Failed"
        assert await world.runtime.containers() == []
        assert world.network.connected == set()
        assert not (tmp_path / "kubelet" / "pods" / UID).exists()

    live(world, story)


class Refusing(FakeRuntime):
    """An engine that cannot stop what it runs."""

    def __init__(self, images: Sequence[str]) -> None:
        super().__init__(images)
        self.asked = 0

    async def signal(self, container_id: str, signal: str) -> None:
        self.asked += 1
        raise RuntimeFailure("cannot kill container: it does not listen")


def test_a_container_that_cannot_be_stopped_is_asked_again_after_a_pause(tmp_path: Path) -> None:
    """Rule: a pass that the engine refused is made again after five seconds, and nothing spins"""
    runtime = Refusing([IMAGE])
    world = World(tmp_path, a_pod(containers=SLEEP), runtime)

    async def story() -> None:
        await comes(lambda: world.status.get("phase") == "Running", "Running")
        world.worker.leave(0)
        await comes(lambda: runtime.asked, "asked once")
        with pytest.raises(AssertionError):
            await eventually(lambda: _is(runtime.asked > 1), within=0.2)

    live(world, story)


class Counting(FakeRuntime):
    """Counts how often it is looked at."""

    looks = 0

    async def containers(self, uid: str = "") -> list[RuntimeContainer]:
        self.looks += 1
        return await super().containers(uid)


def test_a_pod_that_waits_for_its_volumes_after_a_failed_start_is_not_looked_at_in_between(tmp_path: Path) -> None:
    """Rule: nothing polls; a pause that is over wakes a worker once (a node that boots: first no network, then no volume)"""
    runtime = Counting([IMAGE])
    volumes = [{"name": "settings", "configMap": {"name": "absent"}}]
    world = World(tmp_path, a_pod(containers=SLEEP, volumes=volumes), runtime)
    world.network.ready = False

    def tries() -> int:
        return sum(reason == "FailedMount" for reason, _ in world.told.events)

    async def story() -> None:
        await comes(lambda: any(reason == "NetworkNotReady" for reason, _ in world.told.events), "the start failed")
        world.network.ready = True
        world.worker.wake()
        await comes(lambda: tries() >= 1, "the volume is not there")
        before = runtime.looks
        await comes(lambda: tries() >= 3, "two more tries")
        assert runtime.looks - before < 20

    live(world, story)


async def _is(answer: bool) -> bool:
    return answer


def test_a_container_that_crashes_comes_back_at_once_then_waits(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy"""
    world = World(tmp_path, a_pod(containers=[a_container("main", command=["false"])]))

    async def story() -> None:
        await comes(lambda: world.state().get("waiting", {}).get("reason") == "CrashLoopBackOff", "CrashLoopBackOff")
        assert world.status["containerStatuses"][0]["restartCount"] == 1
        assert "back-off 10s restarting failed container=main" in world.state()["waiting"]["message"]
        assert ("BackOff", f"Back-off restarting failed container main in pod web_default({UID})") in world.told.events

    live(world, story)


def test_a_container_that_is_being_started_waits_for_nothing(tmp_path: Path) -> None:
    """Between the first restart's begin and its end, nobody is told of a back-off; after it, the next one waits.
    Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy"""
    pod, told, clock = a_pod(), Told(), SystemClock()
    memory = PodMemory(clock, Images(FakeRuntime([]), told, clock, PulledImages(tmp_path)), told)
    look = a_look(replace(ended("main", 1), finished_at=clock.now()))
    start = StartContainer(pod.spec.containers[0], 1)

    async def story() -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def starting() -> str:
            begun.set()
            await may_end.wait()
            return "id"

        assert memory.observed(pod, look, None).waiting == {}
        attempt = asyncio.create_task(memory.attempt(pod, start, look, starting()))
        await begun.wait()
        assert memory.observed(pod, look, None).waiting == {}
        may_end.set()
        await attempt
        assert memory.observed(pod, look, None).waiting["main"].reason == "CrashLoopBackOff"

    asyncio.run(story())


def test_a_pod_whose_work_is_done_stays_to_be_read_until_it_is_deleted(tmp_path: Path) -> None:
    world = World(tmp_path, a_pod(containers=[a_container("main", command=["true"])], restartPolicy="Never"))

    async def story() -> None:
        await comes(lambda: world.status.get("phase") == "Succeeded" and not world.network.connected, "Succeeded")
        assert [one.state for one in await world.runtime.containers() if not one.is_sandbox] == ["exited"]
        world.worker.leave(30)
        await comes(lambda: world.gone, "gone")
        assert await world.runtime.containers() == []

    live(world, story)


def test_a_new_kubelet_takes_over_what_runs_without_touching_it(tmp_path: Path) -> None:
    pod = a_pod(containers=SLEEP)
    first = World(tmp_path, pod)

    async def begun() -> None:
        await comes(lambda: first.status.get("phase") == "Running", "Running")

    live(first, begun)
    second = World(tmp_path, pod, first.runtime)

    async def taken_over() -> None:
        before = await second.runtime.containers()
        await comes(lambda: second.status.get("phase") == "Running", "Running")
        assert await second.runtime.containers() == before
        assert second.told.events == []

    live(second, taken_over)


def test_a_lost_sandbox_is_replaced_and_the_containers_count_a_restart(tmp_path: Path) -> None:
    """Rule: a host that was restarted starts its pods again, with restartCount + 1."""
    world = World(tmp_path, a_pod(containers=SLEEP))

    async def story() -> None:
        await comes(lambda: world.status.get("phase") == "Running", "Running")
        for record in await world.runtime.containers():
            await world.runtime.signal(record.id, "SIGKILL")
        await comes(lambda: world.status["containerStatuses"][0]["restartCount"] == 1, "a restart")
        await comes(lambda: "running" in world.state(), "running again")

    live(world, story)


def test_an_image_that_is_not_there_is_told_by_upstreams_reasons(tmp_path: Path) -> None:
    never = a_container("main", command=["sleep"], imagePullPolicy="Never")
    world = World(tmp_path, a_pod(containers=[{**never, "image": "nothere:1"}, {**never, "name": "odd", "image": "Bad Name"}]))

    async def story() -> None:
        await comes(lambda: world.state("odd").get("waiting", {}).get("reason") == "InvalidImageName", "InvalidImageName")
        assert world.state() == {
            "waiting": {
                "reason": "ErrImageNeverPull",
                "message": 'Container image "nothere:1" is not present with pull policy of Never',
            }
        }

    live(world, story)


def test_a_variable_from_a_config_map_that_is_not_there_holds_up_its_container(tmp_path: Path) -> None:
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "absent", "key": "a"}}}]
    world = World(tmp_path, a_pod(containers=[{**SLEEP[0], "env": env}]))

    async def story() -> None:
        await comes(lambda: world.state().get("waiting", {}).get("reason") == "CreateContainerConfigError", "the reason")
        assert world.state()["waiting"]["message"] == 'configmap "absent" not found'

    live(world, story)


def test_a_pod_past_its_deadline_is_ended_as_failed(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup"""
    world = World(tmp_path, a_pod(containers=SLEEP, activeDeadlineSeconds=1, terminationGracePeriodSeconds=0))

    async def story() -> None:
        await comes(lambda: world.status.get("reason") == "DeadlineExceeded", "DeadlineExceeded")
        assert world.status["phase"] == "Failed"

    live(world, story)
