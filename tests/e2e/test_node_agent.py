"""The kubelet as its node's agent, for real: a kubelet with thresholds that trip, whose files lie on a small disk of their own.

It takes the place of the cluster's own for the length of this module. Its pods are bound to the node by name, as the scheduler
keeps them from a node under pressure.
"""

import configparser
import json
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubelet.volumes.mounts import memory, remove
from tests.e2e.conftest import UPSTREAM, Cluster, in_a_namespace
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

WITHIN = 90.0
CONFIG = """
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
shutdownGracePeriod: 6s
shutdownGracePeriodCriticalPods: 3s
"""
FLAGS = {  # a disk of 128Mi; the soft thresholds are always met
    "eviction-hard": "nodefs.available<60Mi",
    "eviction-soft": "memory.available<100Ti,pid.available<100%",
    "eviction-soft-grace-period": "memory.available=15s,pid.available=15s",
    "eviction-pressure-transition-period": "5s",
    "volume-stats-agg-period": "5s",
}
DISK_BYTES = 128 << 20


@pytest.fixture(scope="module")
def shell(cluster: Cluster) -> Iterator[Cluster]:
    root = cluster.state / "agent"
    memory(root, DISK_BYTES)
    (cluster.state / "agent.yaml").write_text(CONFIG)
    cluster.ok(cluster.control("stop kubelet"))
    patch = json.dumps({"status": {"nodeInfo": {"bootID": "another"}}})
    cluster.ok(f"{UPSTREAM} patch node {node(cluster)} --subresource=status -p {shlex.quote(patch)}")
    with (cluster.state / "agent.log").open("wb") as log, in_a_namespace(replace(cluster, kubectl=UPSTREAM), "agent") as made:
        process = subprocess.Popen(["nsenter", f"--net=/run/netns/{cluster.netns}", *argv(cluster, root)], stdout=log, stderr=log)
        try:
            made.until("kubectl get events -n default", "has been rebooted, boot id:", within=WITHIN)
            yield replace(made, environment={**made.environment, "AGENT": str(process.pid)})
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(WITHIN)
            remove(root)
            cluster.ok(cluster.control("start kubelet"))
            cluster.until(f"{UPSTREAM} get nodes", " Ready")
            made.ok("kubectl delete pods --all --wait=false")


def node(cluster: Cluster) -> str:
    return cluster.ok(f"{UPSTREAM} get nodes -o jsonpath='{{.items[0].metadata.name}}'")


def argv(cluster: Cluster, root: Path) -> list[str]:
    """The supervised kubelet's command line, with other flags."""
    config = configparser.RawConfigParser(strict=False)
    config.read(cluster.state / "supervisord.conf")
    words = shlex.split(config["program:kubelet"]["command"].replace("%%", "%"))
    flags = {**FLAGS, "root-dir": root, "config": cluster.state / "agent.yaml"}
    kept = [word for word in words if word.removeprefix("--").partition("=")[0] not in flags]
    return [*kept, *(f"--{name}={value}" for name, value in flags.items())]


def pod(shell: Cluster, name: str, script: str, **spec: object) -> None:
    """A pod on the node, whatever its taints say; its volumes are `data` on the disk and `memory`."""
    container = {
        "name": "main",
        "image": "busybox",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"trap 'exit 0' TERM; {script}; while :; do sleep 0.1; done"],
        "resources": spec.pop("resources", {}),
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "memory", "mountPath": "/memory"}],
    }
    volumes = [{"name": "data", "emptyDir": spec.pop("data", {})}, {"name": "memory", "emptyDir": {"medium": "Memory"}}]
    tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": node(shell),
            "tolerations": [{"operator": "Exists"}],
            "containers": [container],
            "volumes": volumes,
            **spec,
        },
    }
    shell.ok("kubectl create -f -", stdin=json.dumps(tree))


def status(shell: Cluster, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(shell.ok(f"kubectl get pod {name} -o json"))["status"]
    return found


def failed(shell: Cluster, name: str, reason: str) -> str:
    """Wait until the pod has failed for that reason; returns the message."""

    def look() -> str:
        found = status(shell, name)
        return str(found.get("message")) if (found["phase"], found.get("reason")) == ("Failed", reason) else ""

    return eventually_sync(look, WITHIN, f"pod {name} failed: {reason}")


def condition(shell: Cluster, kind: str) -> dict[str, str]:
    tree = json.loads(shell.ok(f"kubectl get node {node(shell)} -o json"))
    return next(one for one in tree["status"]["conditions"] if one["type"] == kind)


def write(megabytes: int, path: str) -> str:
    return f"dd if=/dev/zero of={path} bs=1M count={megabytes} 2>/dev/null"


def test_a_node_that_runs_short_evicts_by_rank_says_so_and_takes_nobody(shell: Cluster) -> None:
    """Rule: behaviour E.5.57 (sizeLimit), E.5.61; https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"""
    pod(shell, "critical", ":", priorityClassName="system-node-critical")
    pod(shell, "modest", write(20, "/memory/file"), resources={"requests": {"memory": "200Mi"}})
    pod(shell, "greedy", write(100, "/memory/file"))
    for name in ("critical", "modest", "greedy"):
        shell.ok(f"kubectl wait --for=condition=Ready pod/{name} --timeout=30s")
    pod(shell, "limited", write(8, "/data/file"), data={"sizeLimit": "5Mi"})
    pod(shell, "filler", f"sleep 1; {write(90, '/data/file')}")

    eventually_sync(lambda: condition(shell, "DiskPressure")["status"] == "True", WITHIN, "the node under disk pressure")
    assert condition(shell, "DiskPressure")["reason"] == "KubeletHasDiskPressure"
    message = failed(shell, "filler", "Evicted")
    assert message.startswith("The node was low on resource: ephemeral-storage. Threshold quantity: 60Mi, available: ")
    conditions = {one["type"]: one for one in status(shell, "filler")["conditions"]}  # type: ignore[attr-defined]
    assert conditions["DisruptionTarget"]["reason"] == "TerminationByKubelet"
    assert failed(shell, "limited", "Evicted") == 'Usage of EmptyDir volume "data" exceeds the limit "5Mi". '

    shell.until(
        f"kubectl get node {node(shell)} -o jsonpath='{{.spec.taints}}'", "node.kubernetes.io/memory-pressure", within=WITHIN
    )
    assert condition(shell, "PIDPressure")["status"] == "True"
    pod(shell, "late", ":", tolerations=[])
    assert failed(shell, "late", "Evicted").startswith("Pod was rejected: The node had condition: [")
    message = failed(shell, "greedy", "Evicted")
    assert message.startswith("The node was low on resource: memory. Threshold quantity: 100Ti, available: ")
    assert "Container main was using " in message
    assert message.endswith("request is 0, has larger consumption of memory. ")
    assert status(shell, "modest")["phase"] == "Running"
    eventually_sync(lambda: condition(shell, "DiskPressure")["status"] == "False", WITHIN, "the disk has room again")
    shell.until("kubectl get events", "Evicted")


def test_a_shutdown_of_the_machine_ends_pods_by_priority_and_the_node_takes_nobody(shell: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/ · behaviour E.5.63"""
    assert status(shell, "critical")["phase"] == "Running"
    shell.ok("kill -PWR $AGENT")
    message = "Pod was terminated in response to imminent node shutdown."
    assert failed(shell, "critical", "Terminated") == message
    assert failed(shell, "modest", "Terminated") == message
    ends = {}
    for name in ("modest", "critical"):
        state = status(shell, name)["containerStatuses"][0]["state"]["terminated"]  # type: ignore[index]
        assert state["exitCode"] == 0, "it was asked to end"
        ends[name] = state["finishedAt"]
    assert ends["modest"] <= ends["critical"]
    ready = condition(shell, "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == ("False", "KubeletNotReady", "node is shutting down")
    pod(shell, "refused", ":")
    assert failed(shell, "refused", "NodeShutdown") == "Pod was rejected: Pod was rejected as the node is shutting down."
    shell.until("kubectl get events -n default", "Shutdown manager detected shutdown event")
