"""A device plugin's hardware through whole pods: counted by the node, scheduled by, handed to a container, refused.

The device plugin is this test, on a socket beside the kubelet's.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.devices.manager import DIRECTORY
from tests.device_plugin import LedPlugin
from tests.e2e.conftest import Cluster, in_a_namespace

ALLOCATABLE = r"kubectl get node skiff -o jsonpath='{.status.allocatable.example\.com/led}'"


@pytest.fixture
def light(tmp_path: Path) -> Path:
    file = tmp_path / "led"
    file.write_text("bright\n")
    return file


@pytest.fixture
def plugin(cluster: Cluster, light: Path) -> Iterator[LedPlugin]:
    device = {"host_path": "/dev/zero", "container_path": "/dev/led", "permissions": "r"}
    mount = {"host_path": str(light), "container_path": "/etc/led", "read_only": True}
    answer = {"envs": {"COLOUR": "red"}, "devices": [device], "mounts": [mount], "annotations": {"led": "lit"}}
    one = LedPlugin(cluster.state / "kubelet" / DIRECTORY, answer=answer)
    one.start(left="Healthy", right="Healthy")
    one.register()
    yield one
    one.stop()


@pytest.mark.root
def test_a_pod_is_given_devices_of_a_plugin_as_long_as_there_are_any(cluster: Cluster, plugin: LedPlugin) -> None:
    """Rule: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/"""
    with in_a_namespace(cluster, "devices") as shell:
        shell.until(ALLOCATABLE, "2")
        shell.until("kubectl get serviceaccount default -o name", "default")
        shell.ok("kubectl apply -f devices.yaml")
        shell.ok("kubectl wait --for=condition=Ready pod/lit --timeout=30s")
        assert shell.ok("kubectl logs lit").split() == ["red", "bright", "4"]
        record = shell.ok("docker ps --quiet --filter label=io.kubernetes.pod.name=lit --filter label=annotation.led=lit")
        rights = "docker inspect --format '{{(index .HostConfig.Devices 0).CgroupPermissions}}'"
        assert shell.ok(f"{rights} {record}") == "r\n"
        shell.until("kubectl describe pod waiting", "Insufficient example.com/led")
        plugin.tell(left="Healthy", right="Unhealthy")
        shell.until(ALLOCATABLE, "1")
        assert shell.ok(ALLOCATABLE.replace("allocatable", "capacity")) == "2"
        plugin.tell(left="Healthy", right="Healthy")
        shell.until(ALLOCATABLE, "2")
        plugin.refuses = "too hot"
        shell.ok("kubectl delete pod lit --now")
        words = "kubectl get pod waiting -o jsonpath='{.status.phase}: {.status.reason}: {.status.message}'"
        why = "rpc error: code = Internal desc = too hot, which is unexpected"
        shell.until(words, f"Failed: UnexpectedAdmissionError: Pod was rejected: Allocate failed due to {why}")
    plugin.stop()
    cluster.until(f"{ALLOCATABLE} | grep -x 0", "0")
