"""Pods' lives on a real node: what their containers find, how they end, how they are changed; and pods that cannot run.

One manifest holds many behaviours, so that the node has few pods to start; each test looks at one side of them.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import MANIFESTS, UPSTREAM, Cluster
from tests.wait import eventually_sync

READY_SECONDS = 60


def namespace(cluster: Cluster, name: str) -> Cluster:
    """A shell whose kubectl speaks of this new namespace."""
    cluster.ok(f"{UPSTREAM} create namespace {name}")
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = name
    path = cluster.state / f"{name}.conf"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    shell = replace(cluster, namespace=name, environment={"KUBECONFIG": str(path)})
    shell.until("kubectl get serviceaccount default -o name", "serviceaccount/default")
    return shell


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[Cluster]:
    shell = namespace(cluster, "pod-life")
    manifest = (MANIFESTS / "pod-life.yaml").read_text().replace("HOST_DIRECTORY", str(host_directory(cluster)))
    shell.ok("kubectl apply -f -", stdin=manifest)
    shell.until("kubectl get pod words -o jsonpath='{.status.phase}'", "Failed", within=READY_SECONDS)
    shell.until("kubectl get pod reader -o jsonpath='{.status.phase}'", "Failed", within=READY_SECONDS)
    shell.ok(f"kubectl wait --for=condition=Ready pod/lasting --timeout={READY_SECONDS}s", within=READY_SECONDS + 10)
    yield shell
    shell.ok("kubectl delete namespace pod-life --wait=false")


def host_directory(cluster: Cluster) -> Path:
    return cluster.state / "pod-life"


@pytest.mark.root
def test_a_container_finds_its_variables(pods: Cluster) -> None:
    """Rule: behaviour E.5.58

    Conformance: [sig-node] ConfigMap should be consumable via environment variable [NodeConformance] [Conformance]
    Conformance: [sig-node] ConfigMap should be consumable via the environment [NodeConformance] [Conformance]
    Conformance: [sig-node] Secrets should be consumable from pods in env vars [NodeConformance] [Conformance]
    Conformance: [sig-node] Secrets should be consumable via the environment [NodeConformance] [Conformance]
    Conformance: [sig-node] Downward API should provide host IP as an env var [NodeConformance] [Conformance]
    Conformance: [sig-node] Downward API should provide hostIPs as an env var [NodeConformance] [Conformance]
    Conformance: [sig-node] Downward API should provide pod UID as env vars [NodeConformance] [Conformance]
    Conformance: [sig-node] Downward API should provide pod name, namespace and IP address as env vars [NodeConformance] [Conformance]
    Conformance: [sig-node] Variable Expansion should allow composing env vars into new env vars [NodeConformance] [Conformance]
    Conformance: [sig-node] Variable Expansion should allow substituting values in a container's args [NodeConformance] [Conformance]
    Conformance: [sig-node] Kubelet when scheduling a busybox command in a pod should print the output to logs [NodeConformance] [Conformance]
    """  # noqa: E501
    lines = pods.ok("kubectl logs reader -c root").splitlines()
    pod = json.loads(pods.ok("kubectl get pod reader -o json"))
    for line in (
        "args=reader-$(POD)-$(NOPE)",
        "COMPOSED=<reader>",
        "CM=value-1",
        "SEC=secret-1",
        "p_data-1=value-1",
        "s-data-1=secret-1",
        "POD_NAMESPACE=pod-life",
        f"POD_UID={pod['metadata']['uid']}",
        f"POD_IP={pod['status']['podIP']}",
        f"HOST_IP={pod['status']['hostIP']}",
        f"HOST_IPS={pod['status']['hostIP']}",
        "MEMORY_LIMIT=67108864",
        "order=first second",
    ):
        assert line in lines


@pytest.mark.root
def test_a_container_finds_its_volumes(pods: Cluster) -> None:
    """Rule: behaviour E.5.56, E.5.57

    Conformance: [sig-storage] ConfigMap binary data should be reflected in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] ConfigMap should be consumable from pods in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] ConfigMap should be consumable from pods in volume with mappings [NodeConformance] [Conformance]
    Conformance: [sig-storage] ConfigMap should be consumable in multiple volumes in the same pod [NodeConformance] [Conformance]
    Conformance: [sig-storage] Secrets should be consumable from pods in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Secrets should be consumable from pods in volume as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Secrets should be consumable in multiple volumes in a pod [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected combined should project all components that make up the projection API [Projection] [NodeConformance] [Conformance]
    Conformance: [sig-storage] Projected downwardAPI should provide podname only [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should provide container's memory request [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance] [Conformance]
    Conformance: [sig-storage] EmptyDir volumes pod should support shared volumes between containers [Conformance]
    Conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with configmap pod [Conformance]
    Conformance: [sig-node] Variable Expansion should allow substituting values in a volume subpath [Conformance]
    """  # noqa: E501
    lines = pods.ok("kubectl logs reader -c root").splitlines()
    cpus = pods.ok("kubectl get node skiff -o jsonpath='{.status.allocatable.cpu}'")
    for line in (
        "config/data-1=value-1 644",
        "mapped/path/to/two=value-2 440",  # 0400, and the group may read what its owner may
        "secret/data-1=secret-1 644",
        "narrow/data-1=secret-1 440",
        "both/cm=value-1 644",
        "both/sec=secret-1 644",
        "both/pod=reader 644",
        "both/label=red 440",
        f"pod/cpu-limit={int(cpus) * 1000} 644",
        "pod/memory-request=16 644",
        "binary= de ad",
        "optional=",
        "disk=2777:2000",
        "memory=3777 8 tmpfs",
        "sub=deep",
        "one=value-1",
        "readonly=yes",
    ):
        assert line in lines


@pytest.mark.root
def test_a_container_has_the_rights_and_the_names_that_its_pod_gives_it(pods: Cluster) -> None:
    """Rule: behaviour E.5.59, E.5.60

    Conformance: [sig-node] Security Context When creating a pod with privileged should run the container as unprivileged when false [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-node] Security Context should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup [LinuxOnly] [Conformance]
    Conformance: [sig-node] Kubelet when scheduling a read only busybox container should not write to root filesystem [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-node] Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts [NodeConformance] [Conformance]
    Conformance: [sig-node] Sysctls [LinuxOnly] [NodeConformance] should support sysctls [Environment:NotInUserNS] [Conformance]
    """  # noqa: E501
    nobody = pods.ok("kubectl logs reader -c nobody")
    for words in (
        "uid=1001 gid=1002 groups=1002,2000",
        "secret-1value-1",
        "1001:2000",
        "Read-only file system",
        "NoNewPrivs:\t1",
        "Operation not permitted",
    ):
        assert words in nobody
    root = pods.ok("kubectl logs reader -c root").splitlines()
    assert {"sysctl=1", "aliases=yes", "managed=yes", "own=yes"} <= set(root)


@pytest.mark.root
def test_a_container_leaves_its_last_words_and_its_exit_code(pods: Cluster) -> None:
    """Rule: behaviour E.5.59

    Conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance] [Conformance]
    Conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance] [Conformance]
    Conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance] [Conformance]
    Conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path [NodeConformance] [Conformance]
    """  # noqa: E501
    statuses = json.loads(pods.ok("kubectl get pod words -o jsonpath='{.status.containerStatuses}'"))
    told = {one["name"]: one["state"]["terminated"] for one in statuses}
    assert {name: (one.get("message", ""), one["exitCode"], one["reason"]) for name, one in told.items()} == {
        "file": ("DONE", 0, "Completed"),
        "log": ("LOGGED", 1, "Error"),
        "quiet": ("", 0, "Completed"),
        "own": ("MINE", 42, "Error"),
    }


@pytest.mark.root
def test_a_pods_containers_wait_for_its_init_containers_or_for_ever(pods: Cluster) -> None:
    """Rule: behaviour E.5.51

    Conformance: [sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartNever pod [Conformance]
    Conformance: [sig-node] InitContainer [NodeConformance] should not start app containers and fail the pod if init containers fail on a RestartNever pod [Conformance]
    Conformance: [sig-node] InitContainer [NodeConformance] should not start app containers if init containers fail on a RestartAlways pod [Conformance]
    """  # noqa: E501
    pods.until("kubectl get pod hopeless -o jsonpath='{.status.phase}'", "Failed")
    pods.until("kubectl get pod stuck -o jsonpath='{.status.initContainerStatuses[0].state.waiting.reason}'", "CrashLoopBackOff")
    stuck = json.loads(pods.ok("kubectl get pod stuck -o json"))["status"]
    assert stuck["phase"] == "Pending"
    assert stuck["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.root
def test_volumes_follow_what_they_show(pods: Cluster) -> None:
    """Rule: behaviour E.5.56

    Conformance: [sig-storage] ConfigMap updates should be reflected in volume [NodeConformance] [Conformance]
    Conformance: [sig-storage] Downward API volume should update labels on modification [NodeConformance] [Conformance]
    """
    pods.ok("""kubectl patch configmap config -p '{"data":{"data-1":"newer"}}'""")
    pods.ok("kubectl label pod lasting color=blue --overwrite")
    pods.until("kubectl exec lasting -- cat /config/data-1", "newer")
    pods.until("kubectl exec lasting -- cat /labels/labels", 'color="blue"')
    assert pods.ok("kubectl exec lasting -- sh -c 'echo $CM; cat /part'").split() == ["value-1", "value-1"]  # never updated


@pytest.mark.root
def test_a_running_pod_takes_an_ephemeral_container_and_other_resources(pods: Cluster) -> None:
    """Rule: behaviour E.5.64

    Conformance: [sig-node] Ephemeral Containers [NodeConformance] will start an ephemeral container in an existing pod [Conformance]
    """  # noqa: E501
    pods.ok("kubectl debug lasting --image=busybox --image-pull-policy=Never -c look --target=main -- sh -c 'ps; sleep 3600'")
    pods.until("kubectl logs lasting -c look", "trap")
    pods.ok(
        "kubectl patch pod lasting --subresource resize -p "
        """'{"spec":{"containers":[{"name":"main","resources":{"requests":{"cpu":"20m"},"limits":{"cpu":"40m","memory":"64Mi"}}}]}}'"""
    )
    path = "{.status.containerStatuses[0].resources.limits.memory} {.status.containerStatuses[0].restartCount}"
    pods.until(f"kubectl get pod lasting -o jsonpath='{path}'", "64Mi 0")
    pods.until("kubectl exec lasting -c main -- cat /labels/memory", "64")
    limits = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
    assert str(64 << 20) in pods.run(f"kubectl exec lasting -c main -- sh -c '{limits}'").out


@pytest.mark.root
def test_hooks_run_before_a_pod_is_ready_and_before_it_ends(pods: Cluster) -> None:
    """The last test of the pod: it ends here. Rule: behaviour E.5.54

    Conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly [NodeConformance] [Conformance]
    Conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly [NodeConformance] [Conformance]
    """  # noqa: E501
    assert pods.ok("kubectl exec lasting -c main -- cat /shared/post-start") == "started\n"
    pods.ok("kubectl delete pod lasting --timeout=40s", within=50)
    assert (host_directory(pods) / "pre-stop").read_text() == "stopped\n"


BAD = {
    # pod: (reason of the container's waiting state or of the pod, what an event about it says)
    "no-key": ("CreateContainerConfigError", "Error: couldn't find key absent in ConfigMap bad-pods/config"),
    "no-volume-key": ("ContainerCreating", "references non-existent config key: absent"),
    "bad-name": ("InvalidImageName", "InspectFailed: Failed to apply default image tag"),
    "never": ("ErrImageNeverPull", "is not present with pull policy of Never"),
    "no-pull": ("ImagePullBackOff", "Back-off pulling image"),
    "wrong-type": ("ContainerCreating", "hostPath type check failed: /etc/passwd is not a directory"),
    "subpath-out": ("CreateContainerConfigError", 'failed to prepare subPath for volumeMount "v" of container "c"'),
    "subpath-absolute": ("CreateContainerConfigError", "error SubPath `/etc` must not be an absolute path"),
    "wrong-mount": ("CrashLoopBackOff", "not a directory"),
    "no-command": ("CrashLoopBackOff", "/not-there"),
    "not-root": ("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
    "sysctl": ("SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted'),
    "hook": ("CrashLoopBackOff", "FailedPostStartHook"),
    "too-much": ("OutOfcpu", "Node didn't have enough resource: cpu"),
    "wrong-node": ("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"),
    "port-in-use": ("NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"),
    "strange": ("ContainerCreating", "Failed to create pod sandbox: Unknown runtime specified strange"),
}


def all_told(shell: Cluster) -> bool:
    """Asserts that each bad pod shows its reason, and that an event says more."""
    pods = {one["metadata"]["name"]: one["status"] for one in json.loads(shell.ok("kubectl get pods -o json"))["items"]}
    events: dict[str, str] = {}
    for one in json.loads(shell.ok("kubectl get events -o json"))["items"]:
        name = one["involvedObject"]["name"]
        events[name] = f"{events.get(name, '')}\n{one['reason']}: {one['message']}"
    for name, (reason, words) in BAD.items():
        states = [one["state"].get("waiting", {}).get("reason") for one in pods[name].get("containerStatuses", ())]
        assert reason in [pods[name].get("reason"), *states], name
        assert words in events[name]
    return True


@pytest.mark.root
def test_a_pod_that_cannot_run_says_why_and_the_others_go_on(cluster: Cluster) -> None:
    """Rule: behaviour E.5.53, E.5.56, E.5.57, E.5.60, E.6.65

    Conformance: [sig-node] Variable Expansion should fail substituting values in a volume subpath with absolute path [Conformance]
    """
    shell = namespace(cluster, "bad-pods")
    shell.ok("kubectl apply -f bad-pods.yaml")
    shell.until("kubectl get runtimeclass strange -o name", "strange")
    overrides = '{"spec":{"runtimeClassName":"strange"}}'
    shell.ok(f"kubectl run strange --image=busybox --image-pull-policy=Never --overrides='{overrides}'")
    shell.ok(f"kubectl wait --for=condition=Ready pod/good --timeout={READY_SECONDS}s", within=READY_SECONDS + 10)
    eventually_sync(lambda: all_told(shell), READY_SECONDS, "every pod's reason and event")
    shell.ok("kubectl delete runtimeclass strange")
    shell.ok("kubectl delete namespace bad-pods --wait=false")
