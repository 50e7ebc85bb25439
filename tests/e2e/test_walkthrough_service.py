"""Section 6 of the tutorial: ClusterIP, NodePort, affinity."""

import re

from tests.e2e.conftest import Cluster


def served_by(shell: Cluster, address: str, times: int) -> set[str]:
    """The pods that answered, by /hostname.html."""
    return set(shell.ok(f"for i in $(seq {times}); do fetch http://{address}/hostname.html; done").split())


def test_service_spreads_and_sticks(shell: Cluster) -> None:
    """Rule: walkthrough section 6: create, endpoints, curl, sessionAffinity ClientIP."""
    shell.ok("kubectl apply -f myapp-deploy.yaml")
    shell.ok("kubectl rollout status deployment myapp-deploy --timeout=60s", within=70)
    assert shell.ok("kubectl create -f myapp-svc.yaml") == "service/myapp-svc created\n"
    header, row = shell.ok("kubectl get svc myapp-svc").splitlines()
    assert header.split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert row.split()[1] == "ClusterIP"
    assert row.split()[3:5] == ["<none>", "80/TCP"]
    ready = "kubectl get endpoints myapp-svc -o jsonpath='{range .subsets[*].addresses[*]}x{end}'"
    shell.until(ready, "xxx")
    endpoints = shell.ok("kubectl get endpoints myapp-svc --no-headers")
    assert re.search(r"\s10\.244\.\d+\.\d+:80,10\.244\.\d+\.\d+:80,10\.244\.\d+\.\d+:80\s", endpoints)
    address = shell.ok("kubectl get svc myapp-svc -o jsonpath='{.spec.clusterIP}'")
    shell.until(f"fetch http://{address}/hostname.html", "myapp-deploy-", within=10)
    pods = set(shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[*].metadata.name}'").split())
    assert served_by(shell, address, 40) == pods
    shell.ok("""kubectl patch services myapp-svc -p '{"spec": {"sessionAffinity": "ClientIP"}}'""")
    shell.until(f"for i in $(seq 12); do fetch http://{address}/hostname.html; done | sort -u | wc -l", "1\n", within=10)


def test_service_from_a_pod_and_by_node_port(shell: Cluster) -> None:
    """Rule: walkthrough section 6: expose --type=NodePort; an interactive pod that is gone after exit."""
    shell.ok("kubectl apply -f myapp-deploy.yaml")
    shell.ok("kubectl rollout status deployment myapp-deploy --timeout=60s", within=70)
    exposed = shell.ok("kubectl expose deployment myapp-deploy --port=80 --type=NodePort")
    assert exposed == "service/myapp-deploy exposed\n"
    port = int(shell.ok("kubectl get svc myapp-deploy -o jsonpath='{.spec.ports[0].nodePort}'"))
    assert 30000 <= port <= 32767
    node = shell.ok("kubectl get node skiff -o jsonpath='{.status.addresses[?(@.type==\"InternalIP\")].address}'")
    shell.until(f"fetch http://{node}:{port}/hostname.html", "myapp-deploy-", within=10)
    address = shell.ok("kubectl get svc myapp-deploy -o jsonpath='{.spec.clusterIP}'")
    line = "kubectl run cirros-1 --rm -i --image=cirros --image-pull-policy=IfNotPresent --restart=Never -- sh"
    out = shell.ok(line, within=60, stdin=f"wget -q -O- http://{address}/hostname.html; exit\n")
    assert "myapp-deploy-" in out
    shell.until("kubectl get pods cirros-1 2>&1 || true", "NotFound")


def test_service_without_endpoints_refuses(shell: Cluster) -> None:
    """Rule: behaviour E.4.47: REJECT, not drop."""
    shell.ok("kubectl create service clusterip nobody --tcp=80:80")
    address = shell.ok("kubectl get svc nobody -o jsonpath='{.spec.clusterIP}'")
    shell.until(f"fetch http://{address}/ 2>&1 || true", "refused", within=10)
