"""A replication controller: as many pods as it says, each serving, when it is made, scaled down and up, and stopped."""

from tests.e2e.conftest import Cluster

NAMES = "kubectl get pods -o template --template='{{range.items}}{{.metadata.name}} {{end}}' -l name=update-demo"
RUNNING = (
    '{{if (exists . "status" "containerStatuses")}}{{range .status.containerStatuses}}'
    '{{if (and (eq .name "update-demo") (exists . "state" "running"))}}true{{end}}{{end}}{{end}}'
)


def test_a_replication_controller_is_made_and_stopped(shell: Cluster) -> None:
    """Conformance: [sig-cli] Kubectl client Update Demo should create and stop a replication controller [Conformance]"""
    shell.ok("kubectl create -f update-demo.yaml")
    serving(shell, 2)
    stopped(shell)


def test_a_replication_controller_is_scaled(shell: Cluster) -> None:
    """Conformance: [sig-cli] Kubectl client Update Demo should scale a replication controller [Conformance]"""
    shell.ok("kubectl create -f update-demo.yaml")
    serving(shell, 2)
    for replicas in (1, 2):
        said = shell.ok(f"kubectl scale rc update-demo-nautilus --replicas={replicas} --timeout=60s", within=70)
        assert said == "replicationcontroller/update-demo-nautilus scaled\n"
        serving(shell, replicas)
    stopped(shell)


def serving(shell: Cluster, replicas: int) -> None:
    """Wait until there are so many pods, and each of them runs and serves its page."""
    shell.until(f"{NAMES} | wc -w", f"{replicas}\n", within=60)
    for name in shell.ok(NAMES).split():
        shell.until(f"kubectl get pods {name} -o template --template='{RUNNING}'", "true")
        path = f"/api/v1/namespaces/{shell.namespace}/pods/{name}/proxy/hostname.html"
        shell.until(f"kubectl get --raw {path}", name)


def stopped(shell: Cluster) -> None:
    shell.ok("kubectl delete --grace-period=0 --force -f update-demo.yaml")
    shell.until("kubectl get rc,pods -l name=update-demo -o name | wc -l", "0\n", within=60)
