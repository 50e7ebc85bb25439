"""The scheduler and the node together: which pods find room, which wait, and who goes for whom, as the official suite looks."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Cluster
from tests.e2e.test_pod_life import namespace

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]
READY_SECONDS = 40
FOO, FAKE_CPU = "scheduling.k8s.io/foo", "example.com/fakecpu"
PRIORITIES = {"low": 1, "medium": 50, "high": 1000}


def a_pod(name: str, *, node: str = "skiff", amount: int = 0, priority: str = "", **spec: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "main", "image": "registry.k8s.io/pause:3.10"}
    if amount:
        container["resources"] = {"requests": {FOO: str(amount)}, "limits": {FOO: str(amount)}}
    container |= spec.pop("container", {})
    chosen = {"priorityClassName": priority} if priority else {}
    grace = {"terminationGracePeriodSeconds": 0, "nodeSelector": {"kubernetes.io/hostname": node}}
    spec = {"containers": [container], **grace, **chosen, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"name": name}}, "spec": spec}


def create(shell: Cluster, *objects: dict[str, Any]) -> None:
    shell.ok("kubectl create -f -", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def get(shell: Cluster, words: str) -> Any:
    return json.loads(shell.ok(f"kubectl get {words} -o json"))


def runs(shell: Cluster, *names: str) -> None:
    pods = " ".join(f"pod/{name}" for name in names)
    shell.ok(f"kubectl wait --for=condition=Ready {pods} --timeout={READY_SECONDS}s", within=READY_SECONDS + 10)


def waits(shell: Cluster, name: str) -> str:
    """The pod is told to be unschedulable; the message."""
    message = "{.status.conditions[?(@.reason=='Unschedulable')].message}"
    return shell.until(f'kubectl get pod {name} -o jsonpath="{message}"', "nodes are available")


@pytest.fixture(scope="module")
def shell(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace, priority classes, and a node that tells of 5 of a resource of its own."""
    shell = namespace(cluster, "scheduling")
    group = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass"
    classes = [f"{group}\nmetadata: {{name: test-{name}}}\nvalue: {value}\n" for name, value in PRIORITIES.items()]
    shell.ok("kubectl create -f -", stdin="---\n".join(classes))
    # As the suite does it: a whole Node, most of it empty, which also overwrites what the kubelet tells.
    empty = {"daemonEndpoints": {"kubeletEndpoint": {"Port": 0}}, "nodeInfo": {"machineID": "", "bootID": "", "osImage": ""}}
    patch = {"spec": {}, "status": {"capacity": {FOO: "5"}, "allocatable": {FOO: "5"}, **empty}}
    shell.ok(f"kubectl patch node skiff --subresource=status --type=strategic -p '{json.dumps(patch)}'")
    yield shell
    gone = {"status": {"capacity": {FOO: None}, "allocatable": {FOO: None}}}
    shell.ok(f"kubectl patch node skiff --subresource=status --type=strategic -p '{json.dumps(gone)}'")
    shell.ok(f"kubectl delete priorityclass {' '.join(f'test-{name}' for name in PRIORITIES)}")
    shell.ok("kubectl delete namespace scheduling --wait=false")


def test_a_pod_takes_the_place_of_a_less_important_one(shell: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/

    Conformance: [sig-scheduling] SchedulerPreemption [Serial] validates basic preemption works [Conformance]
    Conformance: [sig-scheduling] SchedulerPreemption [Serial] validates lower priority pod preemption by critical pod [Conformance]
    """
    low, medium = a_pod("low", amount=2, priority="test-low"), a_pod("medium", amount=3, priority="test-medium")
    create(shell, low, medium)
    runs(shell, "low", "medium")
    create(shell, a_pod("preemptor", amount=2, priority="test-high"))
    runs(shell, "preemptor")
    assert shell.run("kubectl get pod low").code == 1
    assert get(shell, "pod medium")["metadata"].get("deletionTimestamp") is None
    critical = a_pod("critical", amount=2, priority="system-cluster-critical")
    critical["metadata"]["namespace"] = "kube-system"
    create(shell, critical)
    shell.ok(f"kubectl wait -n kube-system --for=condition=Ready pod/critical --timeout={READY_SECONDS}s", within=50)
    assert shell.run("kubectl get pod medium").code == 1
    assert get(shell, "pod preemptor")["status"]["phase"] == "Running"
    shell.ok("kubectl delete pod preemptor --now; kubectl delete -n kube-system pod critical --now", within=40)


def test_the_pod_that_goes_is_told_why(shell: Cluster) -> None:
    """
    Conformance: [sig-scheduling] SchedulerPreemption [Serial] validates pod disruption condition is added to the preempted pod [Conformance]
    """  # noqa: E501
    held = a_pod("victim", amount=5, priority="test-low")
    held["metadata"]["finalizers"] = ["example.com/test-finalizer"]
    create(shell, held)
    runs(shell, "victim")
    create(shell, a_pod("urgent", amount=5, priority="test-high"))
    shell.until("kubectl get pod victim -o jsonpath='{.metadata.deletionTimestamp}'", "Z")
    conditions = {one["type"]: one for one in get(shell, "pod victim")["status"]["conditions"]}
    assert conditions["DisruptionTarget"]["status"] == "True"
    assert conditions["DisruptionTarget"]["reason"] == "PreemptionByScheduler"
    shell.until("kubectl get pod urgent -o jsonpath='{.status.nominatedNodeName}'", "skiff")
    shell.ok("""kubectl patch pod victim --type=merge -p '{"metadata":{"finalizers":null}}'""")
    runs(shell, "urgent")
    shell.ok("kubectl delete pod urgent --now", within=40)


def a_replica_set(name: str, replicas: int, amount: int) -> dict[str, Any]:
    labels = {"name": name}
    resources = {"requests": {FAKE_CPU: str(amount)}, "limits": {FAKE_CPU: str(amount)}}
    spec = a_pod(name, container={"resources": resources}, priorityClassName=name)["spec"]
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": f"rs-{name}"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def test_replica_sets_are_preempted_from_below(shell: Cluster) -> None:
    """Rule: a capacity that somebody tells of becomes allocatable by the kubelet; a resourceVersion of "0" is no precondition.

    Conformance: [sig-scheduling] SchedulerPreemption [Serial] PreemptionExecutionPath runs ReplicaSets to verify preemption running path [Conformance]
    """  # noqa: E501
    for number in range(1, 5):
        shell.ok(f"kubectl create priorityclass p{number} --value={number}")
    put_capacity(shell, "1000")
    create(shell, a_replica_set("p1", 5, 200), a_replica_set("p2", 4, 120), a_replica_set("p3", 3, 60))
    for name, ready in (("p1", "1"), ("p2", "4"), ("p3", "3")):  # 1000 = 3 * 60 + 4 * 120 + 1 * 200 (and 140 left)
        shell.until(f"kubectl get rs rs-{name} -o jsonpath='{{.status.readyReplicas}}'", ready, within=READY_SECONDS)
    create(shell, a_replica_set("p4", 1, 400))
    shell.until("kubectl get rs rs-p4 -o jsonpath='{.status.readyReplicas}'", "1", within=READY_SECONDS)
    counts = "kubectl get rs rs-p1 rs-p2 rs-p3 rs-p4 -o jsonpath='{.items[*].status.readyReplicas}'"
    shell.until(counts, "3 3 1", within=READY_SECONDS)  # rs-p1 has none
    shell.ok("kubectl delete rs --all --cascade=foreground --timeout=40s", within=50)
    shell.ok("kubectl delete priorityclass p1 p2 p3 p4")
    put_capacity(shell, None)
    shell.until("kubectl get node skiff -o jsonpath='<{.status.allocatable.example\\.com/fakecpu}>'", "<>", within=20)


def put_capacity(shell: Cluster, amount: str | None) -> None:
    node = get(shell, "node skiff")
    node["metadata"]["resourceVersion"] = "0"
    node["status"]["capacity"].pop(FAKE_CPU, None)
    node["status"]["capacity"] |= {FAKE_CPU: amount} if amount else {}
    shell.ok("kubectl replace --raw /api/v1/nodes/skiff/status -f -", stdin=json.dumps(node))


def test_a_pod_goes_only_where_it_fits(shell: Cluster) -> None:
    """Rule: behaviour E.6

    Conformance: [sig-scheduling] SchedulerPredicates [Serial] validates resource limits of pods that are allowed to run [Conformance]
    Conformance: [sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if matching [Conformance]
    Conformance: [sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if not matching [Conformance]
    Conformance: [sig-scheduling] SchedulerPredicates [Serial] validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP [Conformance]
    """  # noqa: E501
    address = get(shell, "node skiff")["status"]["addresses"][0]["address"]
    port = {"containerPort": 8080, "hostPort": 54321, "protocol": "TCP"}
    shell.ok("kubectl label node skiff kubernetes.io/e2e-test=42")
    create(
        shell,
        a_pod("filler", amount=4),
        a_pod("labelled", nodeSelector={"kubernetes.io/e2e-test": "42"}),
        a_pod("nowhere", nodeSelector={"label": "nonempty"}),
        a_pod("any-address", container={"ports": [port]}),
    )
    runs(shell, "filler", "labelled", "any-address")
    create(shell, a_pod("additional", amount=2), a_pod("one-address", container={"ports": [{**port, "hostIP": address}]}))
    assert f"1 Insufficient {FOO}." in waits(shell, "additional")
    assert "1 node(s) didn't match Pod's node affinity/selector." in waits(shell, "nowhere")
    assert "1 node(s) didn't have free ports for the requested pod ports." in waits(shell, "one-address")
    shell.ok("kubectl label node skiff kubernetes.io/e2e-test-; kubectl delete pods --all --now", within=40)
