"""Section 7 of the tutorial, the node part, as typed: what a node tells, and how one is taken out of service."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.conftest import Cluster

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

NODE = "node2"
OBJECTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: guarded}
spec:
  replicas: 2
  selector: {matchLabels: {app: guarded}}
  template:
    metadata: {labels: {app: guarded}}
    spec:
      terminationGracePeriodSeconds: 0
      volumes: [{name: scratch, emptyDir: {}}]
      containers: [{name: web, image: "nginx:alpine"}]
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 100, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node2]}]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: everywhere}
spec:
  selector: {matchLabels: {app: everywhere}}
  template:
    metadata: {labels: {app: everywhere}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: web, image: "nginx:alpine"}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: guarded}
spec: {minAvailable: 2, selector: {matchLabels: {app: guarded}}}
---
apiVersion: v1
kind: Pod
metadata: {name: alone, labels: {app: alone}}
spec: {nodeName: node2, terminationGracePeriodSeconds: 0, containers: [{name: web, image: "nginx:alpine"}]}
"""


@pytest.fixture(scope="module")
def shell(upstream: Cluster) -> Iterator[Cluster]:
    """With a Deployment that a budget guards, a DaemonSet and a pod of nobody's."""
    objects = {"apiVersion": "v1", "kind": "List", "items": list(yaml.safe_load_all(OBJECTS))}
    upstream.ok("kubectl apply -f -", stdin=json.dumps(objects))
    upstream.ok("kubectl rollout status deployment guarded --timeout=60s", within=70)
    upstream.ok("kubectl rollout status daemonset everywhere --timeout=60s", within=70)
    upstream.ok("kubectl wait --for=condition=Ready pod/alone --timeout=60s", within=70)
    yield upstream
    upstream.ok(f"kubectl uncordon {NODE}")
    upstream.ok("kubectl delete deployment,daemonset,pdb,pod --all --wait=false")


@pytest.fixture
def kubectl(shell: Cluster, either: Cluster) -> Cluster:
    return either


def test_a_node_tells_what_it_is(shell: Cluster) -> None:
    """Rule: walkthrough section 7: OS, kernel, runtime version, cpu, memory, pods, heartbeats."""
    header, *rows = shell.ok("kubectl get nodes -o wide").splitlines()
    assert header.split()[:5] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [row.split()[:3] for row in rows[:3]] == [
        ["node1", "Ready", "control-plane"],
        ["node2", "Ready", "<none>"],
        ["node3", "Ready", "<none>"],
    ]
    told = shell.ok(f"kubectl describe node {NODE}")
    for words in ("MemoryPressure   False", "KubeletReady", "kubelet is posting ready status", "Kernel Version:", "OS Image:",
                  "Container Runtime Version:  docker://", "PodCIDR:", "Non-terminated Pods:", "Allocated resources:"):  # fmt: skip
        assert words in told
    capacity = json.loads(shell.ok(f"kubectl get node {NODE} -o jsonpath='{{.status.capacity}}'"))
    assert {"cpu", "memory", "pods", "ephemeral-storage"} <= set(capacity)
    assert capacity["pods"] == "110"
    assert NODE in shell.ok("kubectl get leases -n kube-node-lease")


def test_a_node_is_cordoned_and_uncordoned(kubectl: Cluster) -> None:
    """Rule: walkthrough section 7: cordon, uncordon"""
    assert kubectl.ok(f"kubectl cordon {NODE}") == f"node/{NODE} cordoned\n"
    assert kubectl.ok(f"kubectl cordon {NODE}") == f"node/{NODE} already cordoned\n"
    assert kubectl.ok(f"kubectl get node {NODE} --no-headers").split()[1] == "Ready,SchedulingDisabled"
    assert kubectl.ok(f"kubectl uncordon {NODE}") == f"node/{NODE} uncordoned\n"


def test_top_shows_what_nodes_and_pods_use(kubectl: Cluster) -> None:
    """Rule: walkthrough section 7: kubectl top node|pod; asked of the kubelets, by an aggregated API"""
    kubectl.until("kubectl get apiservice v1beta1.metrics.k8s.io", "True", within=200)  # its pod may just have lost its node
    kubectl.until("kubectl top pod everywhere 2>&1 || true", "NotFound")
    header, *rows = kubectl.until("kubectl top nodes", f"{NODE} ").splitlines()
    assert header.split() == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert re.fullmatch(r"node2 +\d+m +\d+% +[1-9]\d*Mi +\d+% *", rows[1])
    pods = kubectl.until("kubectl top pod -l 'app in (everywhere,alone)' --containers --sum", "alone ", within=60)
    assert pods.splitlines()[0].split() == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert re.search(r"^alone +web +\d+m +\d+Mi *$", pods, re.MULTILINE)
    header = kubectl.ok(f"kubectl get nodes.metrics.k8s.io {NODE}").splitlines()[0]
    assert header.split() == ["NAME", "CPU", "MEMORY", "WINDOW"]
    refused = kubectl.fails("kubectl get pods.metrics.k8s.io --as=nobody")
    assert 'User "nobody" cannot list resource "pods" in API group "metrics.k8s.io"' in refused


def test_a_node_is_tainted_and_labelled(kubectl: Cluster) -> None:
    """Rule: walkthrough section 7: taint, label"""
    assert kubectl.ok(f"kubectl taint nodes {NODE} dedicated=db:PreferNoSchedule") == f"node/{NODE} tainted\n"
    assert "already has dedicated taint(s) with same effect(s) and --overwrite is false" in kubectl.fails(
        f"kubectl taint nodes {NODE} dedicated=web:PreferNoSchedule"
    )
    assert kubectl.ok(f"kubectl taint nodes {NODE} dedicated=web:PreferNoSchedule --overwrite") == f"node/{NODE} modified\n"
    assert kubectl.ok(f"kubectl taint nodes {NODE} dedicated-") == f"node/{NODE} untainted\n"
    assert kubectl.fails(f"kubectl taint nodes {NODE} dedicated-") == 'error: taint "dedicated" not found\n'
    assert kubectl.ok(f"kubectl label nodes {NODE} disk=ssd") == f"node/{NODE} labeled\n"
    assert kubectl.fails(f"kubectl label nodes {NODE} disk=hdd") == (
        "error: 'disk' already has a value (ssd), and --overwrite is false\n"
    )
    rows = kubectl.ok("kubectl get nodes -L disk --no-headers").splitlines()
    assert [row.split()[5:] for row in rows[:3]] == [[], ["ssd"], []]
    assert kubectl.ok(f"kubectl label nodes {NODE} disk-") == f"node/{NODE} unlabeled\n"


def test_draining_refuses_what_would_be_lost_and_keeps_budgets(kubectl: Cluster) -> None:
    """Rule: walkthrough section 7: drain; https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/"""
    kubectl.ok(f"kubectl cordon {NODE}")
    ours = "--pod-selector 'app in (guarded,everywhere,alone)'"
    refused = kubectl.fails(f"kubectl drain {NODE} {ours}")
    for words in (
        f'error: unable to drain node "{NODE}" due to error: [',
        ", continuing command...\nThere are pending nodes to be drained:\n node2\ncannot delete ",
        "\ncannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): nodes/everywhere-",
        "\ncannot delete Pods with local storage (use --delete-emptydir-data to override): nodes/guarded-",
        "cannot delete Pods that declare no controller (use --force to override): nodes/alone",
    ):
        assert words in refused
    flags = "--ignore-daemonsets --delete-emptydir-data --pod-selector 'app in (guarded,everywhere)'"
    kept = kubectl.run(f"kubectl drain {NODE} {flags} --timeout=7s")
    assert kept.code == 1
    assert "evicting pod nodes/guarded-" in kept.out
    assert "Warning: ignoring DaemonSet-managed Pods: nodes/everywhere-" in kept.err
    assert "(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget." in kept.err
    assert f'There are pending pods in node "{NODE}" when an error occurred: [error when evicting pods/"guarded-' in kept.err
    assert "global timeout reached: 7s]\npod/guarded-" in kept.err
    kubectl.ok(f"kubectl uncordon {NODE}")


def test_a_drained_nodes_pods_run_elsewhere(shell: Cluster) -> None:
    """Rule: walkthrough section 7: drain; the last of these tests, the budget goes with it"""
    shell.ok("kubectl delete pdb guarded")
    flags = "--ignore-daemonsets --delete-emptydir-data --force --pod-selector 'app in (guarded,everywhere,alone)'"
    drained = shell.ok(f"kubectl drain {NODE} {flags}", within=90)
    assert drained.endswith(f"node/{NODE} drained\n")
    assert "pod/alone evicted\n" in drained
    shell.ok("kubectl rollout status deployment guarded --timeout=60s", within=70)
    places = shell.ok("kubectl get pods -l app=guarded -o jsonpath='{.items[*].spec.nodeName}'")
    assert NODE not in places.split()
    assert NODE in shell.ok("kubectl get pods -l app=everywhere -o jsonpath='{.items[*].spec.nodeName}'")
    assert shell.ok(f"kubectl uncordon {NODE}") == f"node/{NODE} uncordoned\n"
