"""Section 1 of the tutorial: looking around a new cluster, with upstream's kubectl and with ours."""

import re

from tests.e2e.conftest import Cluster


def test_version_tells_client_and_server(shell: Cluster) -> None:
    out = shell.ok("kubectl version")
    assert "Client Version: v1." in out
    assert "Server Version: v1." in out


def test_cluster_info_names_the_control_plane(shell: Cluster) -> None:
    assert "Kubernetes control plane is running at https://127.0.0.1:6443" in _plain(shell.ok("kubectl cluster-info"))


def test_the_node_is_ready(shell: Cluster) -> None:
    header, node = shell.ok("kubectl get nodes").splitlines()
    assert header.split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert node.split()[:2] == ["skiff", "Ready"]


def test_component_statuses_are_healthy(shell: Cluster) -> None:
    out = shell.ok("kubectl get componentstatus")
    assert re.search(r"^controller-manager\s+Healthy\s+ok", out, re.MULTILINE)
    assert re.search(r"^scheduler\s+Healthy\s+ok", out, re.MULTILINE)
    assert re.search(r"^etcd-0\s+Healthy\s+", out, re.MULTILINE)
    assert shell.ok("kubectl get cs -o name") == shell.ok("kubectl get componentstatus -o name")


def test_the_four_namespaces_are_there(shell: Cluster) -> None:
    out = shell.ok("kubectl get namespaces")
    for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
        assert re.search(rf"^{name}\s+Active", out, re.MULTILINE)


def test_run_makes_a_pod_that_runs(shell: Cluster) -> None:
    assert shell.ok("kubectl run ngx --image=nginx:alpine") == "pod/ngx created\n"
    shell.ok("kubectl wait --for=condition=Ready pod/ngx --timeout=30s")
    header, pod = shell.ok("kubectl get pods").splitlines()
    assert header.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert pod.split()[:4] == ["ngx", "1/1", "Running", "0"]
    assert shell.ok("kubectl delete pod ngx --now").startswith('pod "ngx" deleted')


def test_api_lists_and_explanations(shell: Cluster) -> None:
    assert "apps/v1" in shell.ok("kubectl api-versions").splitlines()
    resources = shell.ok("kubectl api-resources")
    assert re.search(r"^deployments\s+deploy\s+apps/v1\s+true\s+Deployment$", resources, re.MULTILINE)
    assert "ReplicaSet ensures that a specified number of pod replicas are running" in shell.ok("kubectl explain ReplicaSet")
    assert "imagePullPolicy" in shell.ok("kubectl explain pod.spec.containers")


def test_containers_carry_the_names_that_docker_users_know(shell: Cluster) -> None:
    """Rule: walkthrough section 1: k8s_<container>_<pod>_<namespace>_<uid>_<attempt> and k8s_POD_..."""
    shell.ok("kubectl run named --image=nginx:alpine")
    shell.ok("kubectl wait --for=condition=Ready pod/named --timeout=30s")
    uid = shell.ok("kubectl get pod named -o jsonpath='{.metadata.uid}'")
    names = shell.ok("docker ps --format '{{.Names}}'").splitlines()
    assert f"k8s_named_named_{shell.namespace}_{uid}_0" in names
    assert f"k8s_POD_named_{shell.namespace}_{uid}_0" in names


def _plain(text: str) -> str:
    """Without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
