"""Section 6 of the tutorial, as typed, over the nodes of a lab: Services of each kind, reached from hosts and pods."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Cluster
from tests.lab.conftest import Lab
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

NODES = {"node1": "198.19.0.11", "node2": "198.19.0.12", "node3": "198.19.0.13"}
OTHERS = """
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: myapp}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere}
spec: {type: ExternalName, externalName: myapp-svc.services-on-nodes.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: by-hand}
spec: {ports: [{port: 8080, targetPort: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: by-hand}
subsets: [{addresses: [{ip: POD}], ports: [{port: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: busybox, command: [sleep, "3600"]}]
"""


@pytest.fixture(scope="module")
def shell(upstream: Cluster) -> Iterator[Cluster]:
    """With the tutorial's Deployment and Service, spread over the workers, and a pod to ask from, made after them."""
    upstream.ok("kubectl apply -f myapp-deploy.yaml")
    assert upstream.ok("kubectl create -f myapp-svc.yaml") == "service/myapp-svc created\n"
    upstream.ok("kubectl rollout status deployment myapp-deploy --timeout=60s", within=70)
    pod = upstream.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[0].status.podIP}'")
    upstream.ok("kubectl apply -f -", stdin=OTHERS.replace("POD", pod))
    upstream.ok("kubectl wait --for=condition=Ready pod/client --timeout=60s", within=70)
    yield upstream
    upstream.ok("kubectl delete deployment,pod --all --now --wait=false")


def address_of(shell: Cluster, service: str) -> str:
    return shell.ok(f"kubectl get svc {service} -o jsonpath={{.spec.clusterIP}}")


def served_by(lab: Lab, shell: Cluster, node: str, url: str, times: int = 12) -> set[str]:
    """The pods that answered on a node's host, by /hostname.html."""
    fetch = f"for i in $(seq {times}); do {shell.state}/tools/fetch {url}/hostname.html; done"
    return set(lab.on(node, "bash", "-c", fetch).stdout.split())


def test_a_service_spreads_over_the_pods_of_all_nodes_from_any_host(lab: Lab, shell: Cluster) -> None:
    """Rule: walkthrough section 6: get svc, get endpoints, curl in a loop."""
    header, row = shell.ok("kubectl get svc myapp-svc").splitlines()
    assert header.split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert row.split()[1:5:2] == ["ClusterIP", "<none>"]
    assert shell.ok("kubectl get endpoints myapp-svc --no-headers").split()[1].count(":80") == 3
    pods = set(shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[*].metadata.name}'").split())
    places = set(shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[*].spec.nodeName}'").split())
    assert len(places) > 1
    for node in ("node1", "node3"):
        eventually_sync(lambda n=node: served_by(lab, shell, n, f"http://{address_of(shell, 'myapp-svc')}") == pods, 20, node)


def test_affinity_sends_a_client_to_the_same_pod(lab: Lab, shell: Cluster) -> None:
    """Rule: walkthrough section 6: patch sessionAffinity ClientIP, its timeout."""
    shell.ok("""kubectl patch services myapp-svc -p '{"spec": {"sessionAffinity": "ClientIP"}}'""")
    seconds = "kubectl get svc myapp-svc -o jsonpath={.spec.sessionAffinityConfig.clientIP.timeoutSeconds}"
    assert shell.ok(seconds) == "10800"
    eventually_sync(lambda: len(served_by(lab, shell, "node3", f"http://{address_of(shell, 'myapp-svc')}", 6)) == 1, 20, "one pod")
    shell.ok("""kubectl patch services myapp-svc -p '{"spec": {"sessionAffinity": "None"}}'""")


def test_a_node_port_is_open_on_every_node(lab: Lab, shell: Cluster) -> None:
    """Rule: walkthrough section 6: expose --type=NodePort; 30000-32767."""
    exposed = shell.ok("kubectl expose deployment myapp-deploy --port=80 --type=NodePort")
    assert exposed == "service/myapp-deploy exposed\n"
    port = int(shell.ok("kubectl get svc myapp-deploy -o jsonpath={.spec.ports[0].nodePort}"))
    assert 30000 <= port <= 32767
    for address in NODES.values():
        shell.until(f"fetch http://{address}:{port}/hostname.html", "myapp-deploy-", within=20)


def test_names_of_services_answer_in_pods(shell: Cluster) -> None:
    """Rule: walkthrough section 6: DNS, headless, ExternalName, search domains; <SVC>_SERVICE_HOST in a pod's variables."""
    ask = "kubectl exec client -- nslookup -type=a"
    domain = "services-on-nodes.svc.cluster.local"
    shell.until(f"{ask} myapp-svc.{domain}", address_of(shell, "myapp-svc"))
    addresses = set(shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[*].status.podIP}'").split())
    found = shell.until(f"{ask} headless.{domain}", "Address: ")
    assert {line.split()[-1] for line in found.splitlines() if line.startswith("Address")} >= addresses
    shell.until(f"{ask} elsewhere.{domain}", f"canonical name = myapp-svc.{domain}")
    for name in ("myapp-svc", "elsewhere", "myapp-svc.services-on-nodes"):  # by the search domains
        looked_up = f"PING {name} ({address_of(shell, 'myapp-svc')})"
        shell.until(f"kubectl exec client -- ping -c1 -W1 {name} || true", looked_up, within=20)
    shell.until(f"fetch http://{address_of(shell, 'by-hand')}:8080/hostname.html", "myapp-deploy-", within=20)
    variables = shell.ok("kubectl exec client -- env").splitlines()
    assert f"MYAPP_SVC_SERVICE_HOST={address_of(shell, 'myapp-svc')}" in variables
    assert "MYAPP_SVC_SERVICE_PORT=80" in variables


def test_an_interactive_pod_reaches_the_service(shell: Cluster, either: Cluster) -> None:
    """Rule: walkthrough section 6: kubectl run cirros-1 --rm -it --image=cirros -- sh"""
    address = address_of(shell, "myapp-svc")
    with either.terminal("kubectl run cirros-1 --rm -it --image=cirros -- sh") as terminal:
        terminal.expect("# ", within=60)
        terminal.type(f"wget -qO- http://{address}:80/hostname.html\r")
        terminal.expect("myapp-deploy-")
        terminal.type("exit\r")
        assert terminal.end() == 0
    # The shell began again after its exit, and one with a terminal ends with the grace period (30 s), not by SIGTERM.
    either.until("kubectl get pod cirros-1 2>&1 || true", "NotFound", within=60)


# --- section 8: the API server as a proxy


def test_a_kubelets_paths_are_reached_through_the_api_server(shell: Cluster) -> None:
    """Rule: walkthrough section 8; the old form of the path means the same"""
    node = shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[0].spec.nodeName}'")
    pod = shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[0].metadata.name}'")
    said = {
        "pods": pod,
        "runningpods": pod,
        "stats": '"nodeName"',
        "stats/summary": '"nodeName"',
        "spec": '"num_cores"',
        "logs/": "<pre>",
        "metrics": "# TYPE",
        "healthz": "ok",
    }
    forms = (f"/api/v1/nodes/{node}/proxy", f"/api/v1/nodes/{node}:10250/proxy", f"/api/v1/proxy/nodes/{node}")
    for path, words in said.items():
        assert words in shell.ok(f"kubectl get --raw {forms[0]}/{path}")
    for form in forms[1:]:
        assert shell.ok(f"kubectl get --raw {form}/healthz") == "ok"
    run = f"{forms[0]}/run/services-on-nodes/{pod}/myapp?cmd=hostname"
    assert shell.ok(f"kubectl create --raw '{run}' -f /dev/null").strip() == pod
    assert "profiling endpoint is disabled" in shell.run(f"kubectl get --raw {forms[0]}/debug/pprof/ -v=8").err


def test_pods_and_services_are_reached_through_the_api_server(shell: Cluster) -> None:
    """Rule: walkthrough section 8: pods/{name}[:port]/proxy, services/[https:]{name}[:port]/proxy, and the old form"""
    pod = shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[0].metadata.name}'")
    space = "namespaces/services-on-nodes"
    for path in (
        f"{space}/pods/{pod}/proxy/hostname.html",
        f"{space}/pods/{pod}:80/proxy/hostname.html",
        f"proxy/{space}/pods/{pod}/hostname.html",
    ):
        assert shell.ok(f"kubectl get --raw /api/v1/{path}").strip() == pod
    for path in (
        f"{space}/services/myapp-svc:80/proxy",
        f"{space}/services/http:headless:http/proxy",
        f"proxy/{space}/services/myapp-svc",
    ):
        assert "myapp-deploy-" in shell.ok(f"kubectl get --raw /api/v1/{path}/hostname.html")
    shell.until(
        "kubectl get --raw /api/v1/namespaces/kube-system/services/https:metrics-server:https/proxy/livez", "ok", within=200
    )
