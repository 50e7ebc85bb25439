"""What the kubelet tells of the node: /stats/summary, metrics, node logs, and who may ask."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from kube.api.types import PersistentVolume, Pod, Volume
from kube.api.views import view
from kube.client.rest import Client
from kube.component.clock import SystemClock
from kubelet.cgroup_usage import Usage, cgroup_path, usage_of
from kubelet.claimed_usage import ClaimedUsage
from kubelet.claims import NoClaims
from kubelet.disk_usage import DirectorySizes, FileSystem, Taken, VolumeUsage
from kubelet.metrics import VolumeCollector
from kubelet.network_usage import Interface, parse
from kubelet.node_logs import node_log
from kubelet.node_metrics import cadvisor_metrics, resource_metrics
from kubelet.probes.count import count, forget, probe_metrics
from kubelet.samples import ContainerSample, NodeSample, PodSample, VolumeSample
from kubelet.server_auth import ServerAuth, parts_of
from kubelet.stats import Stats
from kubelet.volumes.local import LocalVolume
from tests.unit.kubelet.pods import NOW, a_pod, running

DISK = FileSystem(available=600, capacity=1000, inodes_free=80, inodes=100)
ETH0 = Interface("eth0", 10, 1, 0, 0, 20, 2, 0, 0)
USED = Usage(cpu_nanoseconds=2_000_000_000, memory=300, working_set=200, resident=100, memory_limit=1000)


def a_sample(**fields: Any) -> NodeSample:
    container = ContainerSample(running("main"), USED, Taken(5, 1), Taken(7, 2))
    volumes = (
        VolumeSample("data", Taken(11, 3), DISK, own=True),
        VolumeSample("token", Taken(1, 1), DISK, own=False),
        VolumeSample("disk", Taken(400, 20), DISK, own=False, claim="c"),
    )
    pod = PodSample(a_pod(), USED, (container,), volumes, (ETH0,))
    values: dict[str, Any] = {
        "at": NOW, "name": "n1", "booted_at": NOW, "usage": USED, "memory_available": 800, "disk": DISK, "image_disk": DISK,
        "network": (ETH0,), "processes": 3, "max_processes": 100, "system": {"kubelet": USED}, "pods": (pod,),
    }  # fmt: skip
    return NodeSample(**{**values, **fields})


def test_a_summary_has_the_node_its_system_containers_and_the_pods_with_all_they_use() -> None:
    """Rule: https://kubernetes.io/docs/reference/instrumentation/node-metrics/#summary-api-source"""
    summary = Stats().summary(a_sample())
    node, pod = summary["node"], summary["pods"][0]
    assert node["nodeName"] == "n1"
    assert node["memory"]["availableBytes"] == 800
    assert (node["fs"]["availableBytes"], node["fs"]["usedBytes"], node["fs"]["inodesUsed"]) == (600, 400, 20)
    assert node["rlimit"] == {"time": node["cpu"]["time"], "maxpid": 100, "curproc": 3}
    assert [one["name"] for one in node["systemContainers"]] == ["kubelet"]
    assert (pod["network"]["name"], pod["network"]["rxBytes"], pod["network"]["txBytes"]) == ("eth0", 10, 20)
    assert [(one["name"], one["usedBytes"]) for one in pod["volume"]] == [("data", 11), ("token", 1), ("disk", 400)]
    assert [one.get("pvcRef") for one in pod["volume"]] == [None, None, {"name": "c", "namespace": "default"}]
    assert pod["ephemeral-storage"]["usedBytes"] == 5 + 7 + 11  # logs, written layer, emptyDir
    assert pod["containers"][0]["memory"]["workingSetBytes"] == 200


def test_a_rate_is_over_the_time_between_two_looks() -> None:
    stats, first = Stats(), a_sample()
    assert stats.summary(first)["node"]["cpu"]["usageNanoCores"] == 0
    later = a_sample(at=NOW + timedelta(seconds=10), usage=replace(USED, cpu_nanoseconds=7_000_000_000))
    assert stats.summary(later)["node"]["cpu"]["usageNanoCores"] == 500_000_000


def test_a_lean_summary_has_cpu_and_memory_alone() -> None:
    """Rule: /stats/summary?only_cpu_and_memory=true"""
    summary = Stats().summary(a_sample(), only_cpu_and_memory=True)
    assert set(summary["pods"][0]) == {"podRef", "startTime", "containers", "cpu", "memory"}
    assert set(summary["node"]) == {"nodeName", "systemContainers", "startTime", "cpu", "memory"}


def test_the_metrics_have_upstreams_names_and_labels() -> None:
    """Rule: https://kubernetes.io/docs/reference/instrumentation/metrics/"""
    stamp = int(NOW.timestamp() * 1000)
    resource = resource_metrics(a_sample()).splitlines()
    assert f'container_cpu_usage_seconds_total{{container="main",namespace="default",pod="web"}} 2 {stamp}' in resource
    assert f'pod_memory_working_set_bytes{{namespace="default",pod="web"}} 200 {stamp}' in resource
    assert "resource_scrape_error 0" in resource
    cadvisor = cadvisor_metrics(a_sample())
    assert 'container_memory_working_set_bytes{container="main",id="/main-0",image="",name="main-0",namespace="default"' in cadvisor
    assert 'container_network_receive_bytes_total{container="",id="/pod0000-uid",image="",interface="eth0"' in cadvisor


def test_how_full_claimed_volumes_are_is_told_by_claim() -> None:
    """Rule: https://kubernetes.io/docs/reference/instrumentation/metrics/ (kubelet_volume_stats_*)"""
    registry = CollectorRegistry()
    registry.register(VolumeCollector(lambda: {("default", "c"): VolumeUsage(DISK, Taken(400, 20))}))
    text = generate_latest(registry).decode()
    values = {
        "capacity_bytes": 1000,
        "available_bytes": 600,
        "used_bytes": 400,
        "inodes": 100,
        "inodes_free": 80,
        "inodes_used": 20,
    }
    for name, value in values.items():
        assert f'kubelet_volume_stats_{name}{{namespace="default",persistentvolumeclaim="c"}} {value}.0' in text


@pytest.mark.parametrize(("answers", "looks"), [([None, 300], 2), ([300, 400], 1), ([None, None], 2)])
def test_a_volume_that_is_not_there_yet_is_looked_for_again_whoever_asked_meanwhile(
    tmp_path: Path, answers: list[int | None], looks: int
) -> None:
    """Rule: upstream pkg/kubelet/server/stats/volume_stat_calculator.go (looked at once there, then each period)"""

    class Bound(NoClaims):
        def known(self, pod: Pod, volume: Volume) -> PersistentVolume | None:
            return view(PersistentVolume, {"metadata": {"name": "v"}, "spec": {"local": {"path": "/v"}}})

    class Filling(LocalVolume):
        looks = 0

        async def usage(self, path: Path) -> VolumeUsage | None:
            size = answers[self.looks]
            self.looks += 1
            return VolumeUsage(DISK, Taken(size, 1)) if size is not None else None

    kind = Filling()
    claimed = ClaimedUsage(Bound(), [kind], tmp_path, 60, SystemClock())
    pod = a_pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}])
    told = [asyncio.run(claimed.of([pod])) for _ in range(2)]
    sizes = [[one.taken.size for found in each.values() for one in found] for each in told]
    assert (sizes[1], kind.looks) == ([size for size in answers[looks - 1 : looks] if size is not None], looks)


def test_probes_are_counted_until_their_pod_is_gone() -> None:
    pod = a_pod(metadata={"name": "counted", "uid": "counted-uid"})
    count(pod, "main", "liveness", good=False)
    line = (
        'prober_probe_total{container="main",namespace="default",pod="counted",pod_uid="counted-uid",'
        'probe_type="Liveness",result="failed"} 1.0'
    )
    assert line in probe_metrics().decode().splitlines()
    forget(pod)
    assert "counted-uid" not in probe_metrics().decode()


@pytest.mark.parametrize("version", [1, 2])
def test_usage_is_read_from_either_version_of_cgroups(tmp_path: Path, version: int) -> None:
    files = {
        1: {
            "memory/p/memory.usage_in_bytes": "300",
            "memory/p/memory.limit_in_bytes": "1000",
            "cpuacct/p/cpuacct.usage": "2000000000",
            "memory/p/memory.stat": "total_inactive_file 100\ntotal_rss 100\n",
        },
        2: {
            "cgroup.controllers": "cpu memory",
            "p/memory.current": "300",
            "p/memory.max": "1000",
            "p/cpu.stat": "usage_usec 2000000",
            "p/memory.stat": "inactive_file 100\nanon 100\n",
        },
    }
    for name, text in files[version].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert usage_of(tmp_path, "p") == USED
    assert usage_of(tmp_path, "gone") == Usage()


def test_a_containers_cgroup_is_where_its_driver_puts_it() -> None:
    """Rule: https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers"""
    assert cgroup_path(a_pod(), "abc", "/top", "cgroupfs") == "top/kubepods/besteffort/pod0000-uid/abc"
    slices = "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0000_uid.slice"
    assert cgroup_path(a_pod(), "abc", "", "systemd") == f"{slices}/docker-abc.scope"


def test_a_directory_is_measured_once_a_minute(tmp_path: Path) -> None:
    now = [0.0]
    sizes = DirectorySizes(monotonic=lambda: now[0])
    before = sizes.of(tmp_path)
    (tmp_path / "file").write_bytes(b"x" * 5000)
    assert sizes.of(tmp_path) == before
    now[0] = 60.0
    grown = sizes.of(tmp_path)
    assert grown.inodes == before.inodes + 1
    assert grown.size >= before.size + 5000


def test_network_usage_leaves_loopback_out() -> None:
    head = "Inter-|   Receive\n face |bytes\n"
    text = head + "    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n"
    assert parse(text) == [ETH0]


def test_node_logs_are_shown_and_nothing_beside_them(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/system-logs/"""
    root = tmp_path / "log"
    (root / "pods").mkdir(parents=True)
    (root / "a.log").write_text("text")
    (root / "out").symlink_to("/etc")
    (tmp_path / "secret").write_text("no")
    assert b'<a href="a.log">a.log</a>' in node_log("", root).body
    assert b'<a href="pods/">pods/</a>' in node_log("/", root).body
    assert node_log("a.log", root).status_code == 200
    assert [node_log(path, root).status_code for path in ("../secret", "out/hostname", "absent")] == [404, 404, 404]


def test_a_path_belongs_to_its_part_of_the_node() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/ (KEP-2862)"""
    assert parts_of("/stats/summary") == ("stats",)
    assert parts_of("/metrics/cadvisor") == ("metrics",)
    assert parts_of("/logs/kubelet.log") == ("log",)
    assert parts_of("/pods") == ("pods", "proxy")
    assert parts_of("/healthz") == ("healthz", "proxy")
    assert parts_of("/podsx") == parts_of("/exec/a/b/c") == ("proxy",)


class ApiServer:
    """Reviews as an API server would, and counts them."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed
        self.asked: list[dict[str, Any]] = []

    async def create(self, kind: type[Any], tree: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(tree["spec"])
        if "token" in tree["spec"]:
            user = {"username": "ann", "groups": ["g"], "uid": "u1", "extra": {"k": ["v"]}}
            known = tree["spec"]["token"] == "good"
            return {"status": {"authenticated": known, **({"user": user} if known else {})}}
        return {"status": {"allowed": tree["spec"]["resourceAttributes"]["subresource"] in self.allowed}}


def auth_of(api: ApiServer, **options: Any) -> ServerAuth:
    client: Client = api  # type: ignore[assignment]
    return ServerAuth(client, "n1", **options)


def test_a_token_is_reviewed_and_one_allowed_part_is_enough() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"""
    now, api = [0.0], ApiServer("proxy")
    auth = auth_of(api, monotonic=lambda: now[0])
    assert asyncio.run(auth.check("GET", "/pods", None, "Bearer good")) is None
    assert [one.get("resourceAttributes", {}).get("subresource") for one in api.asked] == [None, "pods", "proxy"]
    assert api.asked[1]["extra"] == {"k": ["v"]}
    assert asyncio.run(auth.check("GET", "/pods", None, "Bearer good")) is None
    assert len(api.asked) == 3  # the answers are kept for a while
    now[0] = 31.0
    asyncio.run(auth.check("GET", "/pods", None, "Bearer good"))
    assert len(api.asked) == 4  # a refusal for 30 s, a permission longer
    denied = asyncio.run(auth.check("GET", "/stats/summary", None, "Bearer good"))
    assert denied is not None
    assert denied.text == "Forbidden (user=ann, verb=get, resource=nodes, subresource(s)=[stats])"


def test_who_shows_nothing_is_nobody_unless_anonymous_may_ask() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/#kubelet-authentication"""
    for authorization in ("", "Bearer bad", "Basic eHg6eHg="):
        denied = asyncio.run(auth_of(ApiServer("healthz")).check("GET", "/healthz", None, authorization))
        assert denied is not None
        assert denied.code == 401
    open_to_all = auth_of(ApiServer("healthz"), anonymous=True)
    assert asyncio.run(open_to_all.check("GET", "/healthz", None, "")) is None
    refused = asyncio.run(open_to_all.check("GET", "/pods", None, ""))
    assert refused is not None
    assert (refused.code, "user=system:anonymous" in refused.text) == (403, True)
