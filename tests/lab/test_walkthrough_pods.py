"""Section 2 of the tutorial, as typed: pods, their restarts, volumes, ports and probes, and the ways into a running one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Cluster
from tests.lab.conftest import Lab
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

READY_SECONDS = 60
EVENTS = {
    "ok": "exit 0",
    "bad": "sleep 1; exit 1",
    "oom": "x=a; while true; do x=$x$x; done",
    "live": "trap exit TERM; while true; do sleep 0.2; done",
}
RUNS: dict[str, tuple[str, ...]] = {"one-ok": ("ok",), "one-bad": ("bad",), "two-bad": ("bad", "live"), "two-oom": ("oom", "live")}
TABLE = {  # phase after the event, for Always, OnFailure, Never
    "one-ok": ("Running", "Succeeded", "Succeeded"),
    "one-bad": ("Running", "Running", "Failed"),
    "two-bad": ("Running", "Running", "Running"),
    "two-oom": ("Running", "Running", "Running"),
}
POLICIES = ("Always", "OnFailure", "Never")
PODS = """
kind: Pod
metadata: {name: pair, labels: {app: pair}}
spec:
  terminationGracePeriodSeconds: 0
  nodeSelector: {kubernetes.io/hostname: node2}
  volumes: [{name: shared, emptyDir: {}}]
  containers:
  - name: web
    image: nginx:alpine
    ports: [{containerPort: 80, hostPort: 18080}]
    workingDir: /out
    command: [sh, -c, "(while true; do echo written >> log; sleep 1; done) & exec /bin/web listen"]
    volumeMounts: [{name: shared, mountPath: /out}]
  - name: reader
    image: busybox
    args: [sh, -c, "touch /in/log; exec tail -f /in/log"]
    volumeMounts: [{name: shared, mountPath: /in}]
  - {name: clash, image: nginx:alpine}
---
kind: Pod
metadata: {name: same-host-port}
spec:
  nodeSelector: {kubernetes.io/hostname: node2}
  containers: [{name: web, image: nginx:alpine, ports: [{containerPort: 80, hostPort: 18080}]}]
---
kind: Pod
metadata: {name: pull-policies}
spec:
  nodeSelector: {nowhere: "yes"}
  imagePullSecrets: [{name: registry}]
  containers:
  - {name: a, image: "nginx:1.14.1"}
  - {name: b, image: nginx}
  - {name: c, image: "nginx:latest"}
  - {name: d, image: nginx, imagePullPolicy: Never}
---
kind: Pod
metadata: {name: host}
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  nodeSelector: {kubernetes.io/hostname: node3}
  containers:
  - name: main
    image: busybox
    securityContext: {privileged: true}
    command: [sh, -c, "ip -4 addr show eth0; grep CapEff /proc/self/status; exec sleep 3600"]
---
kind: Service
metadata: {name: probed}
spec: {selector: {app: probed}, ports: [{port: 80}]}
---
kind: Pod
metadata: {name: probed, labels: {app: probed}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: nginx:alpine
    startupProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
    livenessProbe: {httpGet: {path: /hostname.html, port: 80}, periodSeconds: 1}
    readinessProbe: {exec: {command: [test, "!", -e, /tmp/busy]}, periodSeconds: 1, failureThreshold: 1}
  - name: sick
    image: busybox
    command: [sh, -c, "touch /tmp/healthy; exec sleep 3600"]
    livenessProbe: {exec: {command: [test, -e, /tmp/healthy]}, periodSeconds: 1, failureThreshold: 1}
---
kind: Pod
metadata: {name: configured}
spec:
  terminationGracePeriodSeconds: 0
  volumes:
  - {name: all, configMap: {name: special}}
  - {name: items, configMap: {name: special, items: [{key: level, path: deep/er}]}}
  - {name: secret, secret: {secretName: pass, items: [{key: word, path: w}]}}
  containers:
  - name: main
    image: busybox
    env: [{name: LEVEL, valueFrom: {configMapKeyRef: {name: special, key: level}}}]
    envFrom: [{configMapRef: {name: special, optional: false}}]
    command: [sh, -c, "echo $0 $kind $(cat /items/deep/er /secret/w /one); exec sleep 3600"]
    args: ["level=$(LEVEL)"]
    volumeMounts:
    - {name: all, mountPath: /all}
    - {name: items, mountPath: /items}
    - {name: secret, mountPath: /secret}
    - {name: all, mountPath: /one, subPath: kind}
"""
STATIC = """
apiVersion: v1
kind: Pod
metadata: {name: static, namespace: pods}
spec: {terminationGracePeriodSeconds: 0, containers: [{name: web, image: "nginx:alpine", imagePullPolicy: IfNotPresent}]}
"""


def restarting(name: str, policy: str) -> dict[str, Any]:
    containers = [
        {
            "name": event,
            "image": "busybox",
            "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", EVENTS[event]],
            "resources": {"limits": {"memory": "32Mi"}},
        }
        for event in RUNS[name]
    ]
    spec = {"restartPolicy": policy, "terminationGracePeriodSeconds": 0, "containers": containers}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{name}-{policy.lower()}"}, "spec": spec}


@pytest.fixture(scope="module")
def shell(upstream: Cluster) -> Iterator[Cluster]:
    """All pods of these tests, applied at once, so that they start beside each other."""
    assert upstream.ok("kubectl create configmap special --from-literal=level=very --from-literal=kind=charm") == (
        "configmap/special created\n"
    )
    assert upstream.ok("kubectl create secret generic pass --from-literal=word=hush") == "secret/pass created\n"
    pods = [{"apiVersion": "v1", **one} for one in yaml.safe_load_all(PODS)]
    for name in RUNS:
        pods += [restarting(name, policy) for policy in POLICIES]
    upstream.ok("kubectl apply -f -", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    yield upstream
    upstream.ok("kubectl delete pod --all --now --wait=false")


@pytest.fixture
def kubectl(shell: Cluster, either: Cluster) -> Cluster:
    """With the pods there."""
    return either


def status_of(shell: Cluster, name: str) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(shell.ok(f"kubectl get pod {name} -o json"))["status"]
    return status


def happened(shell: Cluster, name: str, policy: str) -> dict[str, Any]:
    """The pod's status, once the event happened and what follows from it; asserts it has."""
    status = status_of(shell, f"{name}-{policy.lower()}")
    first = next(one for one in status["containerStatuses"] if one["name"] == RUNS[name][0])
    ended = first["state"].get("terminated") or first.get("lastState", {}).get("terminated")
    assert ended is not None
    assert ended["reason"] == {"ok": "Completed", "bad": "Error", "oom": "OOMKilled"}[RUNS[name][0]]
    again = policy == "Always" or (policy == "OnFailure" and name != "one-ok")
    assert (first["restartCount"] > 0) is again
    assert status["phase"] == TABLE[name][POLICIES.index(policy)]
    return status


def test_a_pods_phase_follows_its_restart_policy(shell: Cluster) -> None:
    """Rule: walkthrough section 2, the table of restartPolicy; behaviour E.5.52"""
    for name in RUNS:
        for policy in POLICIES:
            eventually_sync(lambda n=name, p=policy: happened(shell, n, p), READY_SECONDS, f"{name} with {policy}")
    shell.ok("kubectl exec two-oom-never -c live -- kill -TERM 1")
    shell.until("kubectl get pod two-oom-never -o jsonpath={.status.phase}", "Failed")
    row = shell.ok("kubectl get pod two-oom-never --no-headers").split()
    assert row[1:3] == ["0/2", "Completed"]  # the first by name tells: `live`, not `oom`
    shell.until("kubectl describe pod one-bad-always", "Back-off restarting failed container bad in pod one-bad-always_pods(")


def test_containers_of_a_pod_share_its_network_and_its_volumes(shell: Cluster) -> None:
    """Rule: walkthrough section 2: two talk over localhost; a second of one port fails; emptyDir between writer and reader."""
    shell.until("kubectl logs pair -c reader --tail=1", "written", within=READY_SECONDS)
    assert "nginx/alpine on pair" in shell.ok("kubectl exec pair -c reader -- wget -qO- http://localhost/")
    shell.until("kubectl logs pair -c clash", "Address already in use")
    shell.until("kubectl get pod pair", "CrashLoopBackOff")
    assert shell.ok("kubectl exec pair -c web -- pwd") == "/out\n"


def test_a_host_port_is_given_once_on_a_node(shell: Cluster) -> None:
    """Rule: walkthrough section 2: a second pod with the same hostPort is not placed on that node."""
    shell.until("fetch http://198.19.0.12:18080/hostname.html", "pair", within=READY_SECONDS)
    shell.until("kubectl describe pod same-host-port", "didn't have free ports for the requested pod ports")
    assert shell.ok("kubectl get pod same-host-port -o jsonpath={.spec.nodeName}") == ""


def test_an_images_tag_decides_when_it_is_pulled(shell: Cluster) -> None:
    """Rule: walkthrough section 2: Always when the tag is absent or latest."""
    policies = shell.ok("kubectl get pod pull-policies -o jsonpath='{.spec.containers[*].imagePullPolicy}'")
    assert policies == "IfNotPresent Always Always Never"
    shell.until("kubectl describe pod pull-policies", "didn't match Pod's node affinity/selector")


def test_a_pod_may_have_the_hosts_network_and_all_rights(shell: Cluster) -> None:
    """Rule: walkthrough section 2: hostNetwork, securityContext.privileged"""
    shell.until("kubectl logs host", "CapEff", within=READY_SECONDS)
    said = shell.ok("kubectl logs host")
    assert "inet 198.19.0.13/24" in said
    assert int(said.rpartition("CapEff:")[2], 16) > 1 << 36
    assert shell.ok("kubectl get pod host -o jsonpath={.status.podIP}") == "198.19.0.13"


def test_probes_restart_a_container_and_keep_a_pod_out_of_its_service(shell: Cluster) -> None:
    """Rule: walkthrough section 2: liveness, readiness and startup probes by exec, tcpSocket and httpGet."""
    endpoints = "kubectl get endpoints probed --no-headers"
    shell.ok("kubectl wait --for=condition=Ready pod/probed --timeout=60s", within=70)
    address = shell.ok("kubectl get pod probed -o jsonpath={.status.podIP}")
    shell.until(endpoints, f"{address}:80")
    shell.ok("kubectl exec probed -c main -- touch /tmp/busy")
    shell.until(endpoints, "<none>")
    shell.ok("kubectl exec probed -c main -- rm /tmp/busy")
    shell.until(endpoints, f"{address}:80")
    shell.ok("kubectl exec probed -c sick -- rm /tmp/healthy")
    shell.until("kubectl describe pod probed", "Container sick failed liveness probe, will be restarted")
    shell.until("kubectl get pod probed -o jsonpath='{.status.containerStatuses[*].restartCount}'", "0 1")
    assert "Liveness probe failed" in shell.ok("kubectl get events --field-selector involvedObject.name=probed")


def test_configuration_comes_as_variables_arguments_and_files_and_files_follow_it(shell: Cluster) -> None:
    """Rule: walkthrough section 2: env, envFrom, $(VAR), items, subPath; a change shows in the volume."""
    shell.until("kubectl logs configured", "level=very charm veryhushcharm", within=READY_SECONDS)
    shell.ok("""kubectl patch configmap special -p '{"data": {"level": "extremely"}}'""")
    shell.until("kubectl exec configured -- cat /all/level /items/deep/er", "extremelyextremely", within=READY_SECONDS)


def test_a_static_pod_has_a_mirror_that_does_not_rule_it(lab: Lab, shell: Cluster) -> None:
    """Rule: walkthrough section 2: deleting the mirror does not stop the pod; removing the file does; behaviour E.5.62"""
    manifest = lab.state / "node2" / "manifests" / "static.yaml"
    manifest.write_text(STATIC)
    container = "kubectl get pod static-node2 -o jsonpath='{.metadata.uid} {.status.containerStatuses[0].containerID}'"
    try:
        eventually_sync(lambda: " docker://" in shell.run(container).out, READY_SECONDS, "the mirror")
        before = shell.ok(container).split()
        shell.ok("kubectl delete pod static-node2 --now")
        eventually_sync(lambda: shell.run(container).out.split()[1:] == before[1:], READY_SECONDS, "the mirror is there again")
        assert shell.ok(container).split()[0] != before[0]
    finally:
        manifest.unlink()
    shell.until("kubectl get pod static-node2 2>&1 || true", "NotFound")


def test_a_shell_in_a_container_and_its_exit_code(kubectl: Cluster) -> None:
    """Rule: walkthrough section 9: exec -it"""
    with kubectl.terminal("kubectl exec -it pair -c web -- sh") as terminal:
        terminal.expect("# ")
        terminal.type("hostname; tty; exit 7\r")
        terminal.expect("pair\r\n/dev/pts/0")
        assert terminal.end() == 7
    assert "command terminated with exit code 7" in terminal.shown


def test_a_pod_for_one_session_is_gone_after_it(kubectl: Cluster) -> None:
    """Rule: walkthrough section 6: run --rm -it"""
    with kubectl.terminal("kubectl run cirros-1 --rm -it --image=cirros -- sh") as terminal:
        terminal.expect("# ", within=60)
        terminal.type("hostname\r")
        terminal.expect("cirros-1\r\n")
        terminal.type("exit\r")
        assert terminal.end() == 0
    assert "If you don't see a command prompt, try pressing enter." in terminal.shown
    assert "Session ended, resume using 'kubectl attach cirros-1 -c cirros-1 -n pods -i -t' command" in terminal.shown
    assert 'pod "cirros-1" deleted from pods namespace' in terminal.shown
    # The shell began again after its exit, and one with a terminal ends with the grace period (30 s), not by SIGTERM.
    kubectl.until("kubectl get pod cirros-1 2>&1 || true", "NotFound", within=60)


def test_a_running_pod_is_attached_to_copied_from_and_followed(kubectl: Cluster) -> None:
    """Rule: walkthrough section 9: attach, cp, logs -f, port-forward"""
    with kubectl.terminal("kubectl attach pair -c reader") as terminal:
        terminal.expect("written\r\nwritten")
        terminal.type("\x03")
        assert terminal.end() != 0
    with kubectl.terminal("kubectl logs -f pair -c reader --tail=0") as terminal:
        terminal.expect("written\r\nwritten")
    copied = kubectl.state / "copied"
    kubectl.ok(f"kubectl cp pods/pair:/out/log {copied} -c web")
    assert copied.read_text().startswith("written\n")
    kubectl.ok(f"kubectl cp {copied} pair:/tmp/back -c web")
    assert kubectl.ok("kubectl exec pair -c web -- cat /tmp/back") == copied.read_text()
    with kubectl.terminal("kubectl port-forward pod/pair :80") as terminal:
        port = terminal.expect(" -> 80").rpartition("127.0.0.1:")[2].removesuffix(" -> 80")
        assert kubectl.ok(f"fetch http://127.0.0.1:{port}/hostname.html").strip() == "pair"
        terminal.type("\x03")
        terminal.end()


def test_a_running_pod_its_copy_and_its_node_are_debugged(kubectl: Cluster) -> None:
    """Rule: issue: debug; https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/"""
    with kubectl.terminal("kubectl debug pair -it --image=busybox --target=web -- sh") as terminal:
        terminal.expect('Targeting container "web".')
        terminal.expect("# ", within=60)
        terminal.type("ps | grep 'web liste[n]'\r")
        terminal.expect("/bin/web listen")
        terminal.type("exit\r")
        assert terminal.end() == 0
    assert "Session ended, the ephemeral container will not be restarted but may be reattached" in terminal.shown
    kubectl.ok("kubectl debug configured --image=cirros -c look --copy-to=copied -- hostname")
    kubectl.until("kubectl logs copied -c look", "copied")
    kubectl.ok("kubectl delete pod copied --now")
    with kubectl.terminal("kubectl debug node/node2 -it --image=busybox") as terminal:
        pod = terminal.expect(" with container debugger on node node2.").split()[3]
        terminal.expect("# ", within=60)
        terminal.type("ls -d /host/etc\r")
        terminal.expect("/host/etc\r\n")
        terminal.type("exit\r")
        assert terminal.end() == 0
    kubectl.ok(f"kubectl delete pod {pod} --now")
