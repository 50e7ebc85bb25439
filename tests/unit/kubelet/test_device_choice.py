"""Which devices containers get, what a container is started with, and what is kept for the next kubelet."""

import pytest

from kube.api.types import NodeStatus, Pod
from kube.api.views import view
from kubelet.container_error import ConfigError
from kubelet.devices.choice import Lacking, Slot, chosen
from kubelet.devices.grant import granted
from kubelet.devices.record import Grant, Holding, read, written
from kubelet.node_status import Devices, with_devices, with_extended
from kubelet.runtime.runtime import Device, Mount
from tests.unit.kubelet.pods import a_container, a_pod

LED = "example.com/led"


def asking(name: str, count: int, **fields: object) -> dict[str, object]:
    return a_container(name, resources={"limits": {LED: str(count), "example.com/other": "7"}}, **fields)


def of(pod: Pod, *free: str) -> dict[str, tuple[str, ...]]:
    return {slot.container: devices for slot, devices in chosen(pod, {LED: free}).items()}


def test_containers_get_devices_in_their_order_and_those_of_init_containers_again() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers"""
    pod = a_pod(containers=[asking("a", 2), asking("b", 1)], init=[asking("first", 1), asking("second", 2)])
    assert of(pod, *"12345") == {"first": ("1",), "second": ("1", "2"), "a": ("1", "2"), "b": ("3",)}
    sidecar = a_pod(containers=[asking("a", 1)], init=[asking("beside", 1, restartPolicy="Always")])
    assert of(sidecar, "1", "2") == {"beside": ("1",), "a": ("2",)}


def test_too_few_devices_are_told_and_those_that_are_held_are_not_chosen_anew() -> None:
    pod = a_pod(containers=[asking("a", 2), asking("b", 2)])
    with pytest.raises(Lacking, match=r"devices unavailable for example\.com/led\. Requested: 2, Available: 1"):
        of(pod, *"123")
    assert chosen(pod, {LED: ["3", "4"]}, [Slot("a", LED)]) == {Slot("b", LED): ("3", "4")}


def test_a_container_starts_with_what_its_plugins_said() -> None:
    """Rule: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/"""
    one = {"envs": {"A": "1"}, "devices": [{"host_path": "/dev/null", "container_path": "/dev/led", "permissions": "r"}]}
    other = {"envs": {"B": "2"}, "mounts": [{"host_path": "/h", "container_path": "/c"}], "annotations": {"x": "y"}}
    found = granted([one, other])
    assert (found.env, found.annotations) == ({"A": "1", "B": "2"}, {"x": "y"})
    assert (found.devices, found.mounts) == ((Device("/dev/null", "/dev/led", "r"),), (Mount("/h", "/c"),))
    with pytest.raises(ConfigError, match="unresolvable CDI devices one=1"):
        granted([{"cdi_devices": [{"name": "one=1"}]}])


def test_what_is_kept_is_read_again() -> None:
    """Rule: behaviour D.5 (device-plugins); upstream pkg/kubelet/cm/devicemanager/checkpoint"""
    grants = {Holding("u", "c", LED): Grant(("1", "2"), b"\x00said"), Holding("u", "d", LED): Grant(("3",))}
    assert read(written(grants, [LED])) == (grants, {LED})


def test_a_nodes_devices_are_its_own_to_tell_and_the_healthy_ones_are_allocatable() -> None:
    """Rule: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/"""
    own = {"capacity": {"cpu": "2"}, "allocatable": {"cpu": "2"}}
    known = view(NodeStatus, {"capacity": {"cpu": "2", LED: "9", "example.com/dongle": "4"}, "allocatable": {"cpu": "2", LED: "9"}})
    status = with_extended(with_devices(own, Devices({LED: 3}, {LED: 2})), known)
    assert status["capacity"] == {"cpu": "2", LED: "3"}
    assert status["allocatable"] == {"cpu": "2", LED: "2", "example.com/dongle": "4"}
