"""Pods that are changed, hooked and watched while they run, as the official suite does it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Cluster
from tests.e2e.test_pod_life import namespace
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]
READY_SECONDS = 60
PODS = "/api/v1/namespaces/pod-changes/pods"
BUSYBOX = {"image": "busybox", "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"]}
# container: (cpu request, cpu limit, memory request, memory limit); None: not stated
Resources = tuple[str | None, str | None, str | None, str | None]


def get(shell: Cluster, words: str) -> Any:
    return json.loads(shell.ok(f"kubectl get {words} -o json"))


def a_pod(name: str, *containers: dict[str, Any], labels: Mapping[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    spec = {"terminationGracePeriodSeconds": 0, "containers": list(containers) or [{"name": "main", **BUSYBOX}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"name": name, **(labels or {})}}, "spec": spec}


def create(shell: Cluster, *objects: dict[str, Any]) -> None:
    shell.ok("kubectl create -f -", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def runs(shell: Cluster, *names: str) -> None:
    pods = " ".join(f"pod/{name}" for name in names)
    shell.ok(f"kubectl wait --for=condition=Ready {pods} --timeout={READY_SECONDS}s", within=READY_SECONDS + 10)


@pytest.fixture(scope="module")
def shell(cluster: Cluster) -> Iterator[Cluster]:
    shell = namespace(cluster, "pod-changes")
    yield shell
    shell.ok("kubectl delete namespace pod-changes --wait=false")


@pytest.fixture(scope="module")
def api(shell: Cluster) -> Iterator[httpx.Client]:
    """The API from outside the cluster's machine, by kubectl's proxy."""
    socket = shell.state / "proxy.sock"
    proxy = shell.start(f"kubectl proxy --unix-socket={socket}")
    try:
        eventually_sync(socket.exists, 20, "kubectl proxy's socket")
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://localhost", timeout=60) as client:
            yield client
    finally:
        proxy.terminate()
        proxy.communicate(timeout=10)


def patched(api: httpx.Client, path: str, patch: Any) -> Any:
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    answer = api.patch(path, content=json.dumps(patch), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def resources(wanted: Resources) -> dict[str, dict[str, str]]:
    requests = {"cpu": wanted[0], "memory": wanted[2]}
    limits = {"cpu": wanted[1], "memory": wanted[3]}
    stated = {
        side: {name: text for name, text in one.items() if text} for side, one in (("requests", requests), ("limits", limits))
    }
    return {side: one for side, one in stated.items() if one}


def sized(name: str, sizes: Sequence[Resources]) -> dict[str, Any]:
    policy = [{"resourceName": one, "restartPolicy": "NotRequired"} for one in ("cpu", "memory")]
    containers = [
        {"name": f"c{number}", **BUSYBOX, "resources": resources(size), "resizePolicy": policy}
        for number, size in enumerate(sizes, start=1)
    ]
    return a_pod(name, *containers)


def milli(cpu: str) -> int:
    return int(cpu.removesuffix("m")) if cpu.endswith("m") else int(float(cpu) * 1000)


def kernel_limits(size: Resources) -> list[int]:
    """What a container with these resources finds: memory in bytes (0: no limit), cpu quota per 100 ms, cpu shares."""
    memory = int((size[3] or "0Mi").removesuffix("Mi")) << 20
    return [memory, max(milli(size[1]) * 100, 1000) if size[1] else -1, max(milli(size[0] or "0") * 1024 // 1000, 2)]


READ_LIMITS = """
cd /sys/fs/cgroup
if [ -f cpu.max ]; then
    sed "s/max/0/" memory.max; sed "s/ .*//; s/max/-1/" cpu.max; echo $((2 + ($(cat cpu.weight) - 1) * 262142 / 9999))
else
    cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.shares
fi"""


def read_limits(shell: Cluster, pod: str, container: str) -> list[int]:
    """As the container sees them, in either version of cgroups."""
    memory, *cpu = map(int, shell.ok(f"kubectl exec {pod} -c {container} -- sh -c '{READ_LIMITS}'").split())
    return [memory if memory < 1 << 60 else 0, *cpu]


def resized(shell: Cluster, pod: str, sizes: Sequence[Resources]) -> None:
    """The pod's status tells of these resources, its containers have them, and nobody was restarted."""
    wanted = {f"c{number}": resources(size) for number, size in enumerate(sizes, start=1)}

    def told() -> Any:
        found = get(shell, f"pod {pod}")
        assert {one["name"]: one.get("resources", {}) for one in found["status"]["containerStatuses"]} == wanted
        assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
        assert not [one for one in found["status"]["conditions"] if one["type"].startswith("PodResize")]
        return found["status"]["containerStatuses"]

    statuses = eventually_sync(told, READY_SECONDS, f"{pod} has {wanted}")
    assert {one["restartCount"] for one in statuses} == {0}
    allocated = {one["name"]: one.get("allocatedResources", {}) for one in statuses}
    assert allocated == {name: one.get("requests", {}) for name, one in wanted.items()}


def guaranteed(*sizes: tuple[str, str]) -> list[Resources]:
    return [(cpu, cpu, memory, memory) for cpu, memory in sizes]


START = guaranteed(("30m", "30Mi"), ("40m", "40Mi"), ("50m", "50Mi"))
RESIZES: dict[str, tuple[list[Resources], list[Resources]]] = {
    # pod: (before, after)
    "net-increase": (START, guaranteed(("50m", "50Mi"), ("60m", "60Mi"), ("40m", "40Mi"))),
    "net-decrease": (START, guaranteed(("35m", "35Mi"), ("25m", "25Mi"), ("30m", "30Mi"))),
    "mixed": (START, guaranteed(("40m", "30Mi"), ("30m", "50Mi"), ("60m", "60Mi"))),
    "equivalents": ([("2m", "10m", None, None)], [("1m", "5m", None, None)]),
    "six": (
        [
            ("20m", None, None, None), ("20m", "30m", "30Mi", "40Mi"), (None, None, "20Mi", None), (None, None, None, None),
            ("20m", "30m", None, None), ("10m", None, "10Mi", "30Mi"),
        ],
        [
            ("25m", "35m", None, None), ("15m", "25m", "25Mi", "35Mi"), ("15m", "25m", "25Mi", "35Mi"), ("15m", None, "20Mi", None),
            ("20m", "40m", "10Mi", "60Mi"), ("10m", "30m", "20Mi", "30Mi"),
        ],
    ),
}  # fmt: skip


def test_containers_take_other_resources_while_they_run(shell: Cluster) -> None:
    """Rule: behaviour E.5.64, KEP-1287

    Conformance: [sig-node] Pod InPlace Resize Container burstable pods - extended 6 containers - various operations performed (including adding limits and requests) [MinimumKubeletVersion:1.34] [Conformance]
    Conformance: [sig-node] Pod InPlace Resize Container burstable pods - extended resize with equivalents [MinimumKubeletVersion:1.34] [Conformance]
    Conformance: [sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, c2, decrease cpu & mem on c3 - net increase [MinimumKubeletVersion:1.34] [Conformance]
    Conformance: [sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, decrease cpu & mem on c2, c3 - net decrease [MinimumKubeletVersion:1.34] [Conformance]
    Conformance: [sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase: CPU (c1,c3), memory (c2, c3) ; decrease: CPU (c2) [MinimumKubeletVersion:1.34] [Conformance]
    Conformance: [sig-node] Pod InPlace Resize Container resize pod via the replace endpoint [MinimumKubeletVersion:1.34] [Conformance]
    """  # noqa: E501
    create(shell, *(sized(name, before) for name, (before, _) in RESIZES.items()))
    runs(shell, *RESIZES)
    for name, (_, after) in RESIZES.items():
        containers = [{"name": f"c{number}", "resources": resources(size)} for number, size in enumerate(after, start=1)]
        patch = json.dumps({"spec": {"containers": containers}})
        shell.ok(f"kubectl patch pod {name} --subresource=resize --type=strategic -p '{patch}'")
        resized(shell, name, after)
        for number, size in enumerate(after, start=1):
            assert read_limits(shell, name, f"c{number}") == kernel_limits(size), number
    path = "/api/v1/namespaces/pod-changes/pods/net-increase"
    pod = get(shell, "pod net-increase")
    for container, size in zip(pod["spec"]["containers"], START, strict=True):
        container["resources"] = resources(size)
    shell.ok(f"kubectl replace --raw {path}/resize -f -", stdin=json.dumps(pod))
    resized(shell, "net-increase", START)
    assert json.loads(shell.ok(f"kubectl get --raw {path}/resize")) == json.loads(shell.ok(f"kubectl get --raw {path}"))
    shell.ok(f"kubectl delete pod --now {' '.join(RESIZES)}")


def test_a_runtime_class_gives_a_pod_its_overhead_or_keeps_it_out(shell: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/runtime-class/

    Conformance: [sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance] [Conformance]
    Conformance: [sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance] [Conformance]
    Conformance: [sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance] [Conformance]
    Conformance: [sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance] [Conformance]
    """  # noqa: E501
    runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "runc"}
    overhead = {"podFixed": {"cpu": "10m", "memory": "1Mi"}}
    create(
        shell,
        {**runtime, "metadata": {"name": "plain"}},
        {**runtime, "metadata": {"name": "with-overhead"}, "overhead": overhead},
    )
    create(shell, *(a_pod(f"of-{name}", runtimeClassName=name) for name in ("plain", "with-overhead")))
    for name, stated in (("plain", None), ("with-overhead", overhead["podFixed"])):
        assert get(shell, f"pod of-{name}")["spec"].get("overhead") == stated
        shell.ok(f"kubectl wait --for=condition=PodScheduled pod/of-{name} --timeout=30s")
    shell.ok("kubectl delete pod of-plain of-with-overhead --now; kubectl delete runtimeclass plain with-overhead")
    for name in ("plain", "never-was"):
        done = shell.run("kubectl create -f -", stdin=json.dumps(a_pod("refused", runtimeClassName=name)))
        refusal = f'pods "refused" is forbidden: pod rejected: RuntimeClass "{name}" not found'
        assert refusal in done.err


def test_ephemeral_containers_are_added_one_after_another(shell: Cluster, api: httpx.Client) -> None:
    """Rule: behaviour E.5.64

    Conformance: [sig-node] Ephemeral Containers [NodeConformance] should update the ephemeral containers in an existing pod [Conformance]
    """  # noqa: E501
    create(shell, a_pod("looked-at"))
    runs(shell, "looked-at")
    path = f"{PODS}/looked-at/ephemeralcontainers"
    one, two = ({"name": name, **BUSYBOX, "targetContainerName": "main"} for name in ("debugger", "debugger2"))
    patched(api, path, {"spec": {"ephemeralContainers": [one]}})
    running = "kubectl get pod looked-at -o jsonpath='{.status.ephemeralContainerStatuses[?(@.state.running)].name}'"
    shell.until(running, "debugger")
    pod = api.get(path).json()
    pod["spec"]["ephemeralContainers"].append(two)
    assert api.put(path, json=pod).status_code == 200
    shell.until(running, "debugger debugger2")
    assert len(api.get(f"{PODS}/looked-at").json()["spec"]["ephemeralContainers"]) == 2
    shell.ok("kubectl delete pod looked-at --now")


def test_a_pods_generation_is_observed_after_hundreds_of_changes(shell: Cluster, api: httpx.Client) -> None:
    """Rule: KEP-5067

    Conformance: [sig-node] Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge [MinimumKubeletVersion:1.34] [Conformance]
    """  # noqa: E501
    create(shell, a_pod("changing", activeDeadlineSeconds=5000))
    for number in range(1, 500):
        patched(api, f"{PODS}/changing", {"spec": {"activeDeadlineSeconds": 5000 - number}})
    assert api.get(f"{PODS}/changing").json()["metadata"]["generation"] == 500
    shell.until("kubectl get pod changing -o jsonpath='{.status.observedGeneration}'", "500")
    shell.ok("kubectl delete pod changing --now")


def test_a_pods_life_is_told_to_who_watches(shell: Cluster, api: httpx.Client) -> None:
    """Rule: behaviour E.1, E.5.54

    Conformance: [sig-node] Pods should be submitted and removed [NodeConformance] [Conformance]
    Conformance: [sig-node] Pods should be updated [NodeConformance] [Conformance]
    Conformance: [sig-node] Pods should get a host IP [NodeConformance] [Conformance]
    Conformance: [sig-node] Pods should run through the lifecycle of Pods and PodStatus [Conformance]
    """
    selector = {"labelSelector": "test-pod-static=true"}
    start = api.get(PODS, params=selector).json()["metadata"]["resourceVersion"]
    create(shell, a_pod("told", labels={"test-pod-static": "true"}, terminationGracePeriodSeconds=5))
    runs(shell, "told")
    assert api.get(f"{PODS}/told").json()["status"]["hostIP"]
    change = {"metadata": {"labels": {"test-pod": "patched"}}, "spec": {"containers": [{"name": "main", "image": "cirros"}]}}
    patched(api, f"{PODS}/told", change)
    shell.until("kubectl get pod told -o jsonpath='{.status.containerStatuses[0].image} {.status.phase}'", "cirros Running")
    pod = api.get(f"{PODS}/told/status").json()
    pod["status"]["conditions"] = [
        one | ({"status": "False"} if one["type"] == "Ready" else {}) for one in pod["status"]["conditions"]
    ]
    put = api.put(f"{PODS}/told/status", json=pod)
    assert put.status_code in (200, 409)  # 409: the kubelet was faster
    patched(api, f"{PODS}/told/status", {"status": {"message": "patched by the test"}})
    assert api.delete(PODS, params=selector).status_code == 200
    shell.until("kubectl get pods -l test-pod-static=true -o name; echo none", "none")
    shell.ok("kubectl wait --for=delete pod/told --timeout=30s")
    assert api.get(PODS, params=selector).json()["items"] == []
    seen = watched(api, {**selector, "resourceVersion": start})
    kinds = [kind for kind, _ in seen]
    assert (kinds[0], kinds[-1]) == ("ADDED", "DELETED")
    assert set(kinds[1:-1]) == {"MODIFIED"}
    assert any(one["metadata"]["labels"].get("test-pod") == "patched" for _, one in seen)
    assert any(one["status"].get("message") == "patched by the test" for _, one in seen)
    assert seen[-1][1]["metadata"]["deletionTimestamp"]


def watched(api: httpx.Client, params: dict[str, str]) -> list[tuple[str, Any]]:
    """The events since a revision, until the first deletion."""
    seen = []
    with api.stream("GET", PODS, params={**params, "watch": "1", "timeoutSeconds": "20"}) as answer:
        for line in answer.iter_lines():
            event = json.loads(line)
            seen.append((event["type"], event["object"]))
            if event["type"] == "DELETED":
                break
    return seen


HOOK_SERVER = r"""
request() { read -r method path _; length=0
    while read -r line && [ "${line%?}" ]; do case $line in Content-Length:*) length=${line#*: }; length=${length%?};; esac; done
    body=; [ "$length" = 0 ] || body=$(dd bs=1 count="$length" 2>/dev/null)
    case $path in /read) answer=$(cat /tmp/seen);; *) echo "$method $path $body" >> /tmp/seen; answer=OK;; esac
    printf 'HTTP/1.1 200 OK\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' "${#answer}" "$answer"; }
if [ "$1" = one ]; then request; else touch /tmp/seen; exec nc -ll -p 8080 -e sh /server/server.sh one; fi
"""


def test_hooks_reach_another_pod_after_the_start_and_before_the_end(shell: Cluster, api: httpx.Client) -> None:
    """Rule: behaviour E.5.54

    Conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly [NodeConformance] [Conformance]
    Conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly [NodeConformance] [Conformance]
    Conformance: [sig-node] PreStop should call prestop when killing a pod [Conformance]
    """  # noqa: E501
    create(shell, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "server"}, "data": {"server.sh": HOOK_SERVER}})
    container: dict[str, Any] = {"name": "main", "image": "busybox", "command": ["sh", "/server/server.sh"]}
    container |= {"volumeMounts": [{"name": "server", "mountPath": "/server"}]}
    create(shell, a_pod("server", container, volumes=[{"name": "server", "configMap": {"name": "server"}}]))
    runs(shell, "server")
    address = get(shell, "pod server")["status"]["podIP"]
    hooks = {
        kind: {"httpGet": {"host": address, "port": 8080, "path": f"/echo?msg={kind.lower()}"}} for kind in ("postStart", "preStop")
    }
    post = ["wget", "-q", "-O-", '--post-data={"Source":"prestop"}', f"http://{address}:8080/write"]
    create(
        shell,
        a_pod("hooked", {"name": "main", **BUSYBOX, "lifecycle": hooks}, terminationGracePeriodSeconds=30),
        a_pod(
            "tester",
            {"name": "main", **BUSYBOX, "lifecycle": {"preStop": {"exec": {"command": post}}}},
            terminationGracePeriodSeconds=30,
        ),
    )
    runs(shell, "hooked", "tester")
    read = f"{PODS}/server:8080/proxy/read"
    assert api.get(read).text.split("\n")[0].startswith("GET /echo?msg=poststart")
    shell.ok("kubectl delete pod hooked tester --timeout=40s", within=50)
    told = api.get(read).text
    assert "GET /echo?msg=prestop" in told
    assert 'POST /write {"Source":"prestop"}' in told
    shell.ok("kubectl delete pod server --now")
