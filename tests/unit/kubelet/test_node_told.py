"""What a node tells of itself: its configuration, its machine, a reboot, and the metrics of its kubelet."""

from pathlib import Path

import yaml

from kube.api.types import Node
from kube.api.views import view
from kube.component.metrics import exposition
from kubelet import metrics
from kubelet.config import KubeletConfig, with_file
from kubelet.configz import configuration
from kubelet.metrics import NodeCollector
from kubelet.node_info import Machine, huge_pages, system_info
from kubelet.node_status import rebooted
from kubelet.pod_state import Observed
from tests.unit.kubelet.pods import a_look, a_sandbox, ended, running


def test_configz_shows_upstreams_names_and_can_be_read_again(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/administer-cluster/kubelet-config-file/#viewing-the-kubelet-configuration"""
    config = KubeletConfig(cluster_dns=("10.96.0.10",), eviction_hard=("memory.available<1Gi",), client_ca_file=Path("/ca.crt"))
    tree = configuration(config, "cgroupfs")
    assert (tree["kind"], tree["clusterDNS"], tree["evictionHard"]) == (
        "KubeletConfiguration",
        ["10.96.0.10"],
        {"memory.available": "1Gi"},
    )
    assert (tree["maxPods"], tree["containerLogMaxFiles"], tree["imageGCHighThresholdPercent"]) == (110, 5, 85)
    assert all(name[0].islower() and "_" not in name for name in tree)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(tree))
    assert with_file(KubeletConfig(config=file)).eviction_hard == config.eviction_hard


def test_another_boot_id_than_the_node_told_last_is_a_reboot() -> None:
    """Rule: pkg/kubelet/nodestatus/setters.go MachineInfo, event Rebooted"""
    machine = Machine(1, 1, 1, {"bootID": "new"})
    told = {"old": True, "new": False, "": False}
    for boot, expected in told.items():
        node = view(Node, {"metadata": {"name": "n"}, "status": {"nodeInfo": {**system_info("docker://1"), "bootID": boot}}})
        assert rebooted(node, machine) is expected
    assert not rebooted(view(Node, {"metadata": {"name": "n"}, "status": {}}), machine)


def test_huge_pages_are_resources_of_their_size(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/manage-hugepages/scheduling-hugepages/"""
    for size, number in ((2048, 4), (1048576, 0)):
        (tmp_path / f"hugepages-{size}kB").mkdir()
        (tmp_path / f"hugepages-{size}kB" / "nr_hugepages").write_text(f"{number}\n")
    assert huge_pages(tmp_path) == {"hugepages-1Gi": "0", "hugepages-2Mi": "8Mi"}


def test_metrics_count_what_runs_when_they_are_asked_for() -> None:
    """Rule: https://kubernetes.io/docs/reference/instrumentation/metrics/ (kubelet_running_pods, kubelet_running_containers)"""
    look = a_look(running("main"), ended("main", 1, 0), sandbox=a_sandbox())
    families = {one.name: one for one in NodeCollector("n1", lambda: [look, Observed()]).collect()}
    assert families["kubelet_node_name"].samples[0].labels == {"node": "n1"}
    assert families["kubelet_running_pods"].samples[0].value == 1
    counted = {one.labels["container_state"]: one.value for one in families["kubelet_running_containers"].samples}
    assert counted == {"exited": 1, "running": 1}
    metrics.EVICTIONS.labels("memory.available").inc(0)
    assert b'kubelet_evictions{eviction_signal="memory.available"}' in exposition()
