"""What a node does not run: pods in the wrong place, paths and names that cannot be."""

import re
from pathlib import Path

import pytest

from kube.api.types import Node
from kube.api.views import view
from kubelet.admission import Admission
from kubelet.container_error import ConfigError
from kubelet.environment import expand_known
from kubelet.name_files import NameTooLong, kernel_hostname
from kubelet.status import rejected
from kubelet.volumes import subpath
from kubelet.volumes.volume import VolumeError
from tests.unit.kubelet.pods import NOW, a_container, a_pod


def test_a_node_refuses_what_was_not_meant_for_it() -> None:
    """Rule: behaviour E.6.65: nodeName bypasses the scheduler, the kubelet then refuses; pkg/kubelet/lifecycle/predicate.go"""
    node = view(Node, {"metadata": {"name": "n1", "labels": {"disk": "ssd"}}, "spec": {}})
    admission = Admission({"cpu": "1", "memory": "1Gi", "pods": "9"})
    admission.node = lambda: node
    refusal = admission.refuse(a_pod(nodeSelector={"disk": "hdd"}), [])
    assert refusal == ("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")
    assert admission.refuse(a_pod(nodeSelector={"disk": "ssd"}), []) is None
    web = a_pod(containers=[a_container("main", ports=[{"containerPort": 80, "hostPort": 8080}])])
    other = a_pod(containers=[a_container("main", ports=[{"containerPort": 80, "hostPort": 8080, "hostIP": "127.0.0.1"}])])
    refusal = admission.refuse(other, [web])
    assert refusal == ("NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports")
    assert rejected(*refusal, NOW)["message"] == f"Pod was rejected: {refusal.message}"


@pytest.mark.parametrize(
    ("part", "message"),
    [("/etc", "must not be an absolute path"), ("a/../../b", "must not contain '..'"), ("$(EMPTY)/x", "missing value for EMPTY")],
)
def test_a_subpath_that_cannot_be_is_refused_before_anything_is_looked_at(part: str, message: str, tmp_path: Path) -> None:
    """Rule: behaviour E.5.57; pkg/kubelet/kubelet_pods.go makeMounts, ExpandContainerVolumeMounts"""
    with pytest.raises((VolumeError, ConfigError), match=re.escape(message)):
        subpath.check(expand_known(part, {"EMPTY": ""}))


def test_a_host_name_that_the_kernel_would_not_take_is_refused() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-sethostnameasfqdn-field"""
    pod = a_pod(setHostnameAsFQDN=True, hostname="a" * 40, subdomain="b" * 20)
    with pytest.raises(NameTooLong, match="is too long \\(64 characters is the max, 87 characters requested\\)"):
        kernel_hostname(pod, "cluster.local")
