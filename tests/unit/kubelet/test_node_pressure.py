"""A node that runs short: thresholds, who goes, what it is told, which images go first, what is kept free."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kube.api.types import Pod
from kube.component.clock import SystemClock
from kube.component.run import StartupError
from kubelet.admission import Admission
from kubelet.cgroup_usage import Usage
from kubelet.config import KubeletConfig, seconds, with_file
from kubelet.disk_usage import FileSystem, Taken
from kubelet.eviction import (
    BadThreshold,
    Pressure,
    Threshold,
    eviction_message,
    ranked,
    storage_excess,
    thresholds,
)
from kubelet.eviction_manager import EvictionPolicy, Watched
from kubelet.image_collector import ImageCollector, ImagePolicy, Known, removable, to_free
from kubelet.manifest_url import Together, pods_of
from kubelet.node_info import Machine
from kubelet.node_status import Identity, allocatable
from kubelet.pressure import reserved_of, thresholds_of
from kubelet.runtime.runtime import Image
from kubelet.samples import ContainerSample, PodSample, Reading, VolumeSample
from kubelet.static_pods import NotAPod
from tests.fake_runtime import FakeRuntime
from tests.unit.kubelet.pods import NOW, a_container, a_pod, running

MI = 1 << 20
DISK = FileSystem(available=600, capacity=1000, inodes_free=80, inodes=100)


def using(name: str, memory: int, *, priority: int = 0, request: str = "", disk: int = 0) -> PodSample:
    resources = {"requests": {"memory": request}} if request else {}
    pod = a_pod(metadata={"name": name, "uid": name}, containers=[a_container("main", resources=resources)], priority=priority)
    usage = Usage(working_set=memory, processes=memory)
    return PodSample(pod, usage, (ContainerSample(running("main"), usage, Taken(), Taken(disk, 1)),), (), ())


def names(samples: list[PodSample]) -> list[str]:
    return [one.pod.metadata.name for one in samples]


def test_pods_over_their_request_go_first_then_by_priority_then_by_how_much_more_they_use() -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#pod-selection"""
    modest = using("modest", 500 * MI, request="1Gi")
    greedy, worse = using("greedy", 2 * MI), using("worse", 3 * MI)
    important = using("important", 900 * MI, priority=10)
    critical = using("critical", 999 * MI, priority=2_000_000_000)
    static = replace(greedy, pod=a_pod(metadata={"annotations": {"kubernetes.io/config.source": "file"}}))
    assert names(ranked([modest, greedy, worse, important, critical, static], "memory")) == [
        "worse",
        "greedy",
        "important",
        "modest",
    ]
    assert names(ranked([using("a", 1, disk=5), using("b", 1, disk=9)], "ephemeral-storage")) == ["b", "a"]
    assert names(ranked([using("few", 3), using("many", 30)], "pids")) == ["many", "few"]


def test_an_evicted_pod_is_told_why_in_upstreams_words() -> None:
    """Rule: pkg/kubelet/eviction/helpers.go"""
    message = eviction_message(
        using("p", 300 * MI, request="100Mi"), Threshold("memory.available", "100Mi"), Reading(50 * MI, 1 << 30)
    )
    assert message == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. "
        "Container main was using 307200Ki, request is 100Mi, has larger consumption of memory. "
    )


def test_thresholds_are_amounts_or_shares_and_soft_ones_need_a_grace() -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#eviction-thresholds"""
    hard, soft = thresholds(["nodefs.available<10%"], ["memory.available<1Gi"], {"memory.available": 90.0}, {})
    assert hard.met({"nodefs.available": Reading(99, 1000)})
    assert not hard.met({"nodefs.available": Reading(100, 1000)})
    assert soft.grace_seconds == 90
    for bad in (["memory<1"], ["memory.available"]):
        with pytest.raises(BadThreshold):
            thresholds(bad, [], {}, {})
    with pytest.raises(BadThreshold, match="grace period must be specified"):
        thresholds([], ["memory.available<1Gi"], {}, {})


def test_a_soft_threshold_counts_after_its_grace_and_a_pressure_lasts_until_its_transition_is_over() -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#eviction-thresholds"""
    soft = Threshold("memory.available", "100", 90.0)
    policy, watched = EvictionPolicy((soft,)), Watched()
    low, high = {"memory.available": Reading(50, 1000)}, {"memory.available": Reading(200, 1000)}

    def at(second: int, readings: dict[str, Reading]) -> tuple[list[Threshold], Pressure]:
        now = NOW + timedelta(seconds=second)
        return watched.take(policy, readings, now), watched.pressure(policy, now)

    assert at(0, low) == ([], Pressure())
    assert at(60, high) == ([], Pressure())  # the grace begins anew
    assert at(70, low) == ([], Pressure())
    assert at(160, low) == ([soft], Pressure(memory=True))
    assert at(170, high) == ([], Pressure(memory=True))
    assert at(460, high) == ([], Pressure())


def test_what_was_short_counts_until_the_minimum_is_reclaimed() -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#minimum-eviction-reclaim"""
    one = Threshold("nodefs.available", "100", reclaim="50")
    policy, watched = EvictionPolicy((one,)), Watched()
    assert watched.take(policy, {"nodefs.available": Reading(99, 1000)}, NOW) == [one]
    assert watched.take(policy, {"nodefs.available": Reading(149, 1000)}, NOW) == [one]
    assert watched.take(policy, {"nodefs.available": Reading(150, 1000)}, NOW) == []
    assert watched.take(policy, {"nodefs.available": Reading(149, 1000)}, NOW) == []


def test_a_pod_over_its_own_limits_of_local_storage_is_told_which() -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/ephemeral-storage/#how-pods-with-ephemeral-storage-limits-run"""
    small = {"limits": {"ephemeral-storage": "1Ki"}}
    volumes = [{"name": "data", "emptyDir": {"sizeLimit": "1Ki"}}]
    pod = a_pod(containers=[a_container("main", resources=small)], volumes=volumes)
    volume = VolumeSample("data", Taken(2048, 1), DISK, own=True)
    sample = PodSample(pod, Usage(), (), (volume,), ())
    assert storage_excess(sample) == 'Usage of EmptyDir volume "data" exceeds the limit "1Ki". '
    written = ContainerSample(running("main"), Usage(), Taken(), Taken(2048, 1))
    message = "Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. "
    assert storage_excess(replace(sample, volumes=(), containers=(written,))) == message
    assert storage_excess(replace(sample, volumes=())) is None


def test_a_node_under_pressure_takes_no_pods_but_those_that_it_can_bear() -> None:
    """Rule: pkg/kubelet/eviction/eviction_manager.go Admit"""
    admission = Admission({"cpu": "1", "memory": "1Gi", "pods": "9"})
    asks = a_pod(containers=[a_container("main", resources={"requests": {"memory": "1Mi"}})])
    tolerates = a_pod(tolerations=[{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}])
    critical = a_pod(priority=2_000_000_000)

    def verdicts(pressure: Pressure) -> list[str]:
        admission.pressure = lambda: pressure
        refusals = [admission.refuse(pod, []) for pod in (a_pod(), asks, tolerates, critical)]
        return [one.message if one is not None else "" for one in refusals]

    assert verdicts(Pressure(memory=True)) == ["The node had condition: [MemoryPressure]. ", "", "", ""]
    disk = "The node had condition: [DiskPressure]. "
    assert verdicts(Pressure(disk=True)) == [disk, disk, disk, ""]


def an_image(name: str, *, pulled: bool = True) -> Image:
    return Image(name, (f"{name}:1",), 100, digests=(f"{name}@sha256:0",) if pulled else ())


def test_images_unused_for_longest_go_first_and_neither_young_nor_pinned_nor_local_ones() -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#containers-images, behaviour E.5.61"""
    old = NOW - timedelta(hours=1)
    images = [an_image("recent"), an_image("longago"), an_image("young"), an_image("used"), an_image("pause"),
              an_image("local", pulled=False)]  # fmt: skip
    known = {one.id: Known(old, old) for one in images} | {"recent": Known(old, NOW), "young": Known(NOW, NOW)}
    assert [one.id for one in removable(images, {"used"}, "pause:1", known, ImagePolicy(), NOW)] == ["longago", "recent"]


def test_a_disk_is_brought_from_the_high_mark_down_to_the_low_one() -> None:
    """Rule: imageGCHighThresholdPercent, imageGCLowThresholdPercent"""
    assert to_free(FileSystem(available=160, capacity=1000, inodes_free=0, inodes=0), ImagePolicy()) == 0
    assert to_free(FileSystem(available=150, capacity=1000, inodes_free=0, inodes=0), ImagePolicy()) == 50


class Later(SystemClock):
    """A clock that is set by hand."""

    moment = NOW

    def now(self) -> datetime:
        return self.moment


def test_the_collector_frees_what_is_needed_and_tells_what_it_could_not() -> None:
    async def play() -> None:
        clock, runtime = Later(), FakeRuntime(["a", "b"])
        runtime._images = {name: an_image(name) for name in ("a", "b", "c")}
        disk = FileSystem(available=50, capacity=1000, inodes_free=0, inodes=0)
        collector = ImageCollector(runtime, "pause", ImagePolicy(), clock, lambda: disk)
        told: list[str] = []
        collector.on_failure = lambda reason, message: told.append(f"{reason}: {message}")
        assert await collector.collect() == 0  # all are too young
        assert told[0].startswith("FreeDiskSpaceFailed: Failed to garbage collect required amount of images. Attempted to free 150")
        clock.moment = NOW + timedelta(minutes=3)
        assert await collector.collect() == 200  # two of three are enough
        assert len(await runtime.images()) == 1
        assert await collector.remove_unused() == 100

    asyncio.run(play())


def test_what_is_reserved_and_what_eviction_keeps_is_not_allocatable(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/#node-allocatable"""
    file = tmp_path / "config.yaml"
    file.write_text(
        "kind: KubeletConfiguration\nkubeReserved: {cpu: 100m, memory: 100Mi}\n"
        "systemReserved: {cpu: 200m, ephemeral-storage: 1Ki}\n"
        "evictionHard: {memory.available: 100Mi, nodefs.available: 10%}\nevictionPressureTransitionPeriod: 30s\n"
    )
    config = with_file(KubeletConfig(config=file))
    identity = Identity("n1", (), {}, (), 10250, 110, reserved_of(config), thresholds_of(config))
    found = allocatable(identity, Machine(cpus=2, memory=1 << 30, storage=10240, info={}))
    assert found == {
        "cpu": "1700m",
        "memory": f"{(1024 - 200) * 1024}Ki",
        "ephemeral-storage": str(10240 - 1024 - 1024),
        "pods": "110",
    }
    assert seconds(config.eviction_pressure_transition_period) == 30


def test_durations_are_written_as_go_writes_them() -> None:
    assert [seconds(text) for text in ("1m30s", "500ms", "2h")] == [90, 0.5, 7200]
    with pytest.raises(StartupError):
        seconds("10")


MANIFEST = b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: main, image: nginx}]}\n"


def test_static_pods_of_a_url_are_one_or_a_list() -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/#pods-created-via-http"""
    [one] = pods_of(MANIFEST, "n1", NOW).values()
    assert one.metadata.name == "web-n1"
    assert one.metadata.annotations["kubernetes.io/config.source"] == "http"
    listed = b"apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n  spec: {containers: [{name: c, image: i}]}\n"
    assert [pod.metadata.name for pod in pods_of(listed, "n1", NOW).values()] == ["a-n1"]
    for text in (b"<html>", b"kind: PodList\nitems: [web]", b"kind: PodList\nitems: web"):
        with pytest.raises(NotAPod):
            pods_of(text, "n1", NOW)


def test_static_pods_are_told_once_every_source_has_spoken() -> None:
    told: list[list[str]] = []

    def on_pods(pods: dict[str, Pod]) -> None:
        told.append(sorted(pods))

    together = Together(["file", "http"], on_pods)
    together.of("file")({"a": a_pod()})
    assert told == []
    together.of("http")({"b": a_pod()})
    together.of("file")({})
    assert told == [["a", "b"], ["b"]]
