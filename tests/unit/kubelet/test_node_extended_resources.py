"""What others write into a node's status, and what the kubelet makes of it."""

from kube.api.types import NodeStatus
from kube.api.views import view
from kubelet.node_status import overwritten, with_extended

MACHINE = dict.fromkeys((
    "architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "kubeletVersion", "machineID",
    "operatingSystem", "osImage", "systemUUID",
), "m")  # fmt: skip
OWN = {
    "capacity": {"cpu": "2"},
    "allocatable": {"cpu": "1900m"},
    "nodeInfo": MACHINE,
    "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
}


def test_a_resource_that_others_told_of_is_allocatable_until_it_is_gone() -> None:
    """Rule: https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/"""
    told = {"capacity": {"cpu": "2", "example.com/dongle": "4"}, "allocatable": {"cpu": "1900m", "example.com/gone": "1"}}
    status = with_extended(OWN, view(NodeStatus, told))
    assert status["capacity"] == {"cpu": "2"}
    assert status["allocatable"] == {"cpu": "1900m", "example.com/dongle": "4", "example.com/gone": None}
    assert with_extended(OWN, None) == OWN


def test_what_is_the_kubelets_to_tell_is_told_again_when_somebody_changed_it() -> None:
    assert not overwritten(OWN, view(NodeStatus, {**OWN, "capacity": {"cpu": "2", "example.com/dongle": "4"}}))
    assert overwritten(OWN, view(NodeStatus, {**OWN, "nodeInfo": {**MACHINE, "machineID": ""}}))
    assert overwritten(OWN, view(NodeStatus, {**OWN, "allocatable": {}}))
