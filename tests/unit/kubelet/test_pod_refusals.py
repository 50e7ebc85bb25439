"""What a node does not run: pods in the wrong place, paths and names that cannot be."""

import re
from pathlib import Path

import pytest

from kube.api.types import Node
from kube.api.views import view
from kubelet.admission import Admission
from kubelet.container_error import ConfigError
from kubelet.container_spec import identity
from kubelet.environment import expand_known
from kubelet.name_files import NameTooLong, kernel_hostname
from kubelet.pod_files import PodFiles
from kubelet.pod_volumes import MountedVolumes, container_mounts
from kubelet.runtime.runtime import RuntimeFailure
from kubelet.security import check_user_namespace, effective
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


def test_a_pod_does_not_run_without_a_protection_that_it_asks_for() -> None:
    """Rule: https://kubernetes.io/docs/tutorials/security/apparmor/ · #supplementalgroupspolicy · KEP-127 (user namespaces)"""
    plain, armed = Admission({"pods": "9"}), Admission({"pods": "9"}, apparmor=True)
    localhost = {"appArmorProfile": {"type": "Localhost", "localhostProfile": "deny-write"}}
    pod = a_pod(containers=[a_container("main", securityContext=localhost)])
    assert plain.refuse(pod, []) == ("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")
    assert armed.refuse(pod, []) is None
    assert effective(pod, pod.spec.containers[0], Path()).apparmor == "deny-write"
    assert plain.refuse(a_pod(securityContext={"appArmorProfile": {"type": "Unconfined"}}), []) is None

    strict = armed.refuse(a_pod(securityContext={"supplementalGroupsPolicy": "Strict"}), [])
    assert strict is not None
    assert strict.reason == "SupplementalGroupsPolicyNotSupported"

    with pytest.raises(RuntimeFailure, match='RuntimeClass handler "" does not support user namespaces'):
        check_user_namespace(a_pod(hostUsers=False), "")
    mount = {"name": "files", "mountPath": "/files", "readOnly": True, "recursiveReadOnly": "Enabled"}
    recursive = a_pod(containers=[a_container("main", volumeMounts=[mount])], volumes=[{"name": "files", "emptyDir": {}}])
    files = PodFiles(Path("/root"), Path("/logs"), identity(recursive))
    with pytest.raises(VolumeError, match='volume "files" requested recursive read-only mode'):
        container_mounts(recursive, recursive.spec.containers[0], MountedVolumes({"files": Path("/x")}, None), files, str)


def test_unsafe_sysctls_are_for_nodes_that_allow_them() -> None:
    """Rule: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#enabling-unsafe-sysctls"""
    admission = Admission({"pods": "9"}, unsafe_sysctls=("kernel.msg*", "net/core/somaxconn"))

    def refused(name: str) -> bool:
        return admission.refuse(a_pod(securityContext={"sysctls": [{"name": name, "value": "1"}]}), []) is not None

    names = ("kernel.msgmax", "net.core.somaxconn", "net.ipv4.tcp_syncookies", "kernel.shmmax")
    assert [refused(name) for name in names] == [False, False, False, True]
