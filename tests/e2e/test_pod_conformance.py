"""Pods as the official suite writes them, and what it looks at: variables, entrypoints, restarts, hosts files, subpaths, rights.

One manifest holds many behaviours, so that the node has few pods to start; each test looks at one side of them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.engine import Engine
from deploy.images.archive import Layer, archive
from deploy.images.build import find_busybox
from tests.e2e.conftest import MANIFESTS, Cluster
from tests.e2e.test_pod_life import namespace

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]
READY_SECONDS = 60
READY = ("init-always", "own-network", "host-network", "subpath", "deadline")
MANAGED = "# Kubernetes-managed hosts file."


def entrypoint_image() -> bytes:
    """An image whose entrypoint and arguments say what they are."""
    layer = Layer()
    layer.directory("bin")
    layer.file("bin/echo", find_busybox().read_bytes(), 0o755)
    config = {"Entrypoint": ["/bin/echo", "entrypoint"], "Cmd": ["default", "arguments"]}
    return archive(("entrypoint-tester:1",), layer.content(), config)


def get(shell: Cluster, words: str) -> Any:
    return json.loads(shell.ok(f"kubectl get {words} -o json"))


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[Cluster]:
    engine = Engine(cluster.state / "run" / "docker.sock")
    engine.load(entrypoint_image())
    engine.close()
    shell = namespace(cluster, "pod-conformance")
    shell.ok("kubectl apply -f -", stdin=(MANIFESTS / "pod-conformance.yaml").read_text())
    names = " ".join(f"pod/{name}" for name in READY)
    shell.ok(f"kubectl wait --for=condition=Ready {names} --timeout={READY_SECONDS}s", within=READY_SECONDS + 10)
    for name in ("reader", "entrypoint"):
        shell.until(f"kubectl get pod {name} -o jsonpath='{{.status.phase}}'", "Succeeded", within=READY_SECONDS)
    yield shell
    shell.ok("kubectl delete namespace pod-conformance --wait=false")


def test_variables_have_any_prefix_and_the_resources_of_their_container(pods: Cluster) -> None:
    """Rule: behaviour E.5.58, KEP-4369 (names of any printable character but =)

    Conformance: [sig-node] ConfigMap should be consumable as environment variable names with various prefixes [Conformance]
    Conformance: [sig-node] Secrets should be consumable as environment variable names variable names with various prefixes [Conformance]
    Conformance: [sig-node] Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars [NodeConformance] [Conformance]
    Conformance: [sig-node] Downward API should provide default limits.cpu/memory from node allocatable [NodeConformance] [Conformance]
    Conformance: [sig-node] Variable Expansion should allow substituting values in a container's command [NodeConformance] [Conformance]
    Conformance: [sig-node] Pods should contain environment variables for services [NodeConformance] [Conformance]
    """  # noqa: E501
    lines = set(pods.ok("kubectl logs reader -c variables").splitlines())
    prefixes = ("", "1-", "$_-", "p-", "#!~.")
    assert {f"{prefix}data-{number}=value-{number}" for prefix in prefixes for number in (1, 2)} <= lines
    assert {"test-value", "CPU_LIMIT=2", "MEMORY_LIMIT=67108864", "CPU_REQUEST=250", "MEMORY_REQUEST=33554432"} <= lines
    address = get(pods, "service fooservice")["spec"]["clusterIP"]
    assert {
        f"FOOSERVICE_SERVICE_HOST={address}",
        "FOOSERVICE_SERVICE_PORT=8765",
        f"FOOSERVICE_PORT=tcp://{address}:8765",
        "FOOSERVICE_PORT_8765_TCP_PORT=8765",
        "FOOSERVICE_PORT_8765_TCP_PROTO=tcp",
        f"FOOSERVICE_PORT_8765_TCP=tcp://{address}:8765",
        f"FOOSERVICE_PORT_8765_TCP_ADDR={address}",
    } <= lines
    unlimited = dict(line.split("=", 1) for line in pods.ok("kubectl logs reader -c unlimited").splitlines() if "=" in line)
    allocatable = get(pods, "node skiff")["status"]["allocatable"]
    assert unlimited["CPU_LIMIT"] == allocatable["cpu"]
    assert int(unlimited["MEMORY_LIMIT"]) == int(allocatable["memory"].removesuffix("Ki")) * 1024


def test_a_containers_command_and_arguments_take_the_place_of_its_images(pods: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/

    Conformance: [sig-node] Containers should use the image defaults if command and args are blank [NodeConformance] [Conformance]
    Conformance: [sig-node] Containers should be able to override the image's default arguments (container cmd) [NodeConformance] [Conformance]
    Conformance: [sig-node] Containers should be able to override the image's default command (container entrypoint) [NodeConformance] [Conformance]
    Conformance: [sig-node] Containers should be able to override the image's default command and arguments [NodeConformance] [Conformance]
    """  # noqa: E501
    said = {name: pods.ok(f"kubectl logs entrypoint -c {name}").strip() for name in ("image", "args", "command", "both")}
    assert said == {
        "image": "entrypoint default arguments",
        "args": "entrypoint override arguments",
        "command": "override command",
        "both": "override command arguments",
    }


def test_a_container_has_the_user_and_the_rights_that_are_stated(pods: Cluster) -> None:
    """Rule: behaviour E.5.60

    Conformance: [sig-node] Security Context When creating a container with runAsUser should run the container with uid 65534 [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-node] Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false [NodeConformance] [Conformance]
    Conformance: [sig-node] Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup [LinuxOnly] [Conformance]
    Conformance: [sig-node] Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false [LinuxOnly] [NodeConformance] [Conformance]
    """  # noqa: E501
    containers = ("of-the-pod", "high-uid", "writer", "no-escalation")
    said = {name: pods.ok(f"kubectl logs reader -c {name}") for name in containers}
    assert said["of-the-pod"].startswith("uid=1001 gid=2002")
    assert said["high-uid"].startswith("uid=65534")
    assert said["writer"] == "written\nNoNewPrivs:\t0\n"
    assert said["no-escalation"] == "1000\nNoNewPrivs:\t1\n"


def test_a_container_that_ends_comes_back_by_its_pods_rule(pods: Cluster) -> None:
    """Rule: behaviour E.5.53

    Conformance: [sig-node] Container Runtime blackbox test when starting a container that exits should run with the expected status [NodeConformance] [Conformance]
    Conformance: [sig-node] Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason [NodeConformance] [Conformance]
    Conformance: [sig-node] Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete [NodeConformance] [Conformance]
    Conformance: [sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartAlways pod [Conformance]
    """  # noqa: E501
    path = "{.status.phase} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}"
    wanted = {"always": "Running 2 true", "on-failure": "Succeeded 1 false", "never": "Failed 0 false"}
    for name, words in wanted.items():
        pods.until(f"kubectl get pod restart-{name} -o jsonpath='{path}'", words)
    (failed,) = get(pods, "pod bin-false")["status"]["containerStatuses"]
    assert failed["state"]["terminated"]["reason"] == "Error"
    pods.ok("kubectl delete pod bin-false --timeout=20s")
    status = get(pods, "pod init-always")["status"]
    assert [(one["ready"], one["state"]["terminated"]["exitCode"]) for one in status["initContainerStatuses"]] == [(True, 0)] * 2
    assert {one["type"]: one["status"] for one in status["conditions"]}["Initialized"] == "True"
    assert status["hostIP"]


def test_the_hosts_file_is_the_kubelets_unless_the_pod_has_its_own(pods: Cluster) -> None:
    """Rule: behaviour E.5.59

    Conformance: [sig-node] KubeletManagedEtcHosts should test kubelet managed /etc/hosts file [NodeConformance] [Conformance]
    """

    def hosts(pod: str, container: str, file: str = "/etc/hosts") -> str:
        return pods.ok(f"kubectl exec {pod} -c {container} -- cat {file}")

    assert MANAGED in hosts("own-network", "busybox-1")
    assert MANAGED in hosts("own-network", "busybox-2")
    assert hosts("own-network", "busybox-3") == hosts("own-network", "busybox-3", "/etc/hosts-original")
    assert MANAGED not in hosts("host-network", "busybox-1")


def test_a_subpath_is_made_of_variables_that_have_a_value(pods: Cluster) -> None:
    """Rule: behaviour E.5.57

    Conformance: [sig-node] Variable Expansion should fail substituting values in a volume subpath with backticks [Conformance]
    Conformance: [sig-node] Variable Expansion should succeed in writing subpaths in container [Conformance]
    Conformance: [sig-node] Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container [Slow] [Conformance]
    """  # noqa: E501
    waiting = "kubectl get pod {} -o jsonpath='{{.status.containerStatuses[0].state.waiting.reason}}'"
    pods.until(waiting.format("backsteps"), "CreateContainerConfigError")
    pods.until(waiting.format("late-subpath"), "CreateContainerConfigError")
    pods.ok("kubectl annotate pod late-subpath notmysubpath=mypath")
    pods.ok(f"kubectl wait --for=condition=Ready pod/late-subpath --timeout={READY_SECONDS}s", within=READY_SECONDS + 10)
    pods.ok("kubectl exec subpath -- touch /volume_mount/mypath/foo/test.log")
    pods.ok("kubectl exec subpath -- test -f /subpath_mount/test.log")
    pods.ok("kubectl annotate pod subpath mysubpath=mynewpath --overwrite")
    pods.ok("kubectl delete pod subpath late-subpath --timeout=20s")


def test_a_deadline_may_be_set_on_a_pod_that_runs(pods: Cluster) -> None:
    """Rule: behaviour E.5.63

    Conformance: [sig-node] Pods should allow activeDeadlineSeconds to be updated [NodeConformance] [Conformance]
    """
    pods.ok("""kubectl patch pod deadline -p '{"spec":{"activeDeadlineSeconds":5}}'""")
    pods.until("kubectl get pod deadline -o jsonpath='{.status.phase} {.status.reason}'", "Failed DeadlineExceeded")


def test_strange_sysctls_are_refused_by_name(pods: Cluster) -> None:
    """
    Conformance: [sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [Conformance]
    """
    sysctls = [{"name": name, "value": value} for name, value in (("foo-", "bar"), ("kernel.shmmax", "1"), ("bar..", "42"))]
    overrides = json.dumps({"spec": {"securityContext": {"sysctls": sysctls}}})
    told = pods.fails(f"kubectl run strange --image=busybox --overrides='{overrides}'")
    assert 'Invalid value: "foo-"' in told
    assert 'Invalid value: "bar.."' in told
    assert "kernel.shmmax" not in told
