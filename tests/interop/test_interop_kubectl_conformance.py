"""What the conformance suite asks of kubectl and the server together, as far as no pod has to run: upstream's kubectl does it."""

import json
import re
from pathlib import Path

import pytest

from tests.interop.control_plane import ControlPlane
from tests.interop.test_interop_kubectl import KUBECTLS
from tests.interop.transcript import Shell
from tests.wait import eventually_sync

SOON = 20.0
CONTROLLER = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "metadata": {"name": "primary", "labels": {"app": "store"}},
    "spec": {
        "replicas": 2,
        "selector": {"app": "store"},
        "template": {
            "metadata": {"labels": {"app": "store"}},
            "spec": {"containers": [{"name": "store", "image": "store:1", "ports": [{"containerPort": 6379}]}]},
        },
    },
}


class Typist(Shell):
    """A shell whose commands must succeed."""

    def ok(self, command: str) -> str:
        answer = self.type(command)
        assert answer.code == 0, f"$ {command}\n{answer.printed}(exit {answer.code})"
        return answer.printed

    def created(self, tree: object) -> None:
        self.ok(f"kubectl create -f - <<'END'\n{json.dumps(tree)}\nEND")

    def until(self, command: str, printed: str) -> None:
        eventually_sync(lambda: self.ok(command).strip() == printed, SOON, f"{command} prints {printed}")


@pytest.fixture
def typist(control_plane: ControlPlane, tmp_path: Path, request: pytest.FixtureRequest) -> Typist:
    namespace = re.sub(r"\W|_", "-", request.node.name)[:60].strip("-")
    typist = Typist(control_plane, KUBECTLS["1.37"], namespace, tmp_path / "shell")
    typist.until("kubectl get serviceaccounts -o name", "serviceaccount/default")  # what pods need
    return typist


def test_v1_is_among_the_api_versions(typist: Typist) -> None:
    """Conformance: [sig-cli] Kubectl client Kubectl api-versions should check if v1 is in available api versions [Conformance]"""
    assert "v1" in typist.ok("kubectl api-versions").splitlines()


def test_cluster_info_names_the_control_plane(typist: Typist) -> None:
    """
    Conformance: [sig-cli] Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info [Conformance]
    """  # noqa: E501
    assert "Kubernetes control plane is running at https://" in typist.ok("kubectl cluster-info")


def test_version_prints_both_sides_whole(typist: Typist) -> None:
    """Conformance: [sig-cli] Kubectl client Kubectl version should check is all data is printed [Conformance]"""
    printed = typist.ok("kubectl version")
    assert re.search(r"Client Version: v\d+\.\d+\.\d+", printed)
    assert re.search(r"Server Version: v\d+\.\d+\.\d+", printed)
    server = json.loads(typist.ok("kubectl version -o json"))["serverVersion"]
    assert all(server[name] for name in ("major", "minor", "gitVersion", "gitTreeState", "buildDate", "goVersion", "platform"))


def test_diff_finds_the_other_image(typist: Typist) -> None:
    """
    Conformance: [sig-cli] Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments [Conformance]
    """
    typist.ok("kubectl create -f deployment.yaml")
    answer = typist.type("sed 's/nginx:1/busybox:2/' deployment.yaml | kubectl diff -f -")
    assert answer.code == 1
    assert re.search(r"^-\s+- image: nginx:1$", answer.printed, re.MULTILINE)
    assert re.search(r"^\+\s+- image: busybox:2$", answer.printed, re.MULTILINE)


def test_expose_makes_services_of_a_controller_and_of_a_service(typist: Typist) -> None:
    """Conformance: [sig-cli] Kubectl client Kubectl expose should create services for rc [Conformance]"""
    typist.created(CONTROLLER)
    ports = "-o jsonpath='{.spec.ports[0].port} {.spec.ports[0].targetPort}'"
    typist.ok("kubectl expose rc primary --name=rm2 --port=1234 --target-port=6379")
    assert typist.ok(f"kubectl get service rm2 {ports}") == "1234 6379"
    typist.ok("kubectl expose service rm2 --name=rm3 --port=2345 --target-port=6379")
    assert typist.ok(f"kubectl get service rm3 {ports}") == "2345 6379"


def test_describe_tells_of_controller_pods_service_and_namespace(typist: Typist) -> None:
    """
    Conformance: [sig-cli] Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods [Conformance]
    """  # noqa: E501
    typist.created(CONTROLLER)
    typist.ok("kubectl expose rc primary --port=6379")
    typist.until("kubectl get pods -o name | wc -l", "2")
    pod = typist.ok("kubectl describe $(kubectl get pods -o name | head -1)")
    wanted = ("Name:", "Namespace:", "Labels:", "app=store", "Status:", "Controlled By:", "ReplicationController/primary", "Image:")
    assert not [word for word in wanted if word not in pod]
    controller = typist.ok("kubectl describe rc primary")
    wanted = (
        "Name:",
        "primary",
        "Selector:",
        "app=store",
        "Replicas:",
        "2 current / 2 desired",
        "Pods Status:",
        "Pod Template:",
        "Events:",
    )
    assert not [word for word in wanted if word not in controller]
    service = typist.ok("kubectl describe service primary")
    assert not [word for word in ("Type:", "ClusterIP", "IP:", "Port:", "Endpoints:", "Session Affinity:") if word not in service]
    assert "Status:" in typist.ok("kubectl describe namespace $NAMESPACE")


def test_a_label_is_set_read_back_and_removed(typist: Typist) -> None:
    """Conformance: [sig-cli] Kubectl client Kubectl label should update the label on a resource [Conformance]"""
    typist.ok("kubectl run labelled --image=pause:1")
    typist.ok("kubectl label pods labelled testing-label=testing-label-value")
    assert "testing-label-value" in typist.ok("kubectl get pod labelled -L testing-label")
    assert typist.ok("kubectl get pods -l testing-label=testing-label-value -o name") == "pod/labelled\n"
    typist.ok("kubectl label pods labelled testing-label-")
    assert "testing-label-value" not in typist.ok("kubectl get pod labelled -L testing-label")


def test_patch_annotates_the_pods_of_a_controller(typist: Typist) -> None:
    """Conformance: [sig-cli] Kubectl client Kubectl patch should add annotations for pods in rc [Conformance]"""
    typist.created(CONTROLLER)
    typist.until("kubectl get pods -o name | wc -l", "2")
    for pod in typist.ok("kubectl get pods -o name").split():
        typist.ok(f"""kubectl patch {pod} -p '{{"metadata":{{"annotations":{{"x":"y"}}}}}}'""")
    assert typist.ok("kubectl get pods -o jsonpath='{.items[*].metadata.annotations.x}'") == "y y"


def test_run_makes_a_pod_and_replace_changes_its_image(typist: Typist) -> None:
    """
    Conformance: [sig-cli] Kubectl client Kubectl run pod should create a pod from an image when restart is Never [Conformance]
    Conformance: [sig-cli] Kubectl client Kubectl replace should update a single-container pod's image [Conformance]
    """
    typist.ok("kubectl run one --restart=Never --image=httpd:1")
    facts = "{.spec.restartPolicy} {.spec.containers[*].image}"
    assert typist.ok(f"kubectl get pod one -o jsonpath='{facts}'") == "Never httpd:1"
    typist.ok("kubectl get pod one -o json | sed 's/httpd:1/busybox:1/' | kubectl replace -f -")
    assert typist.ok(f"kubectl get pod one -o jsonpath='{facts}'") == "Never busybox:1"


def test_a_server_side_dry_run_changes_nothing(typist: Typist) -> None:
    """
    Conformance: [sig-cli] Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods [Conformance]
    """
    typist.ok("kubectl run one --image=httpd:1 --labels=run=one")
    patch = '{"spec":{"containers":[{"name":"one","image":"busybox:1"}]}}'
    shown = typist.ok(f"kubectl patch pod one -p '{patch}' --dry-run=server -o jsonpath='{{.spec.containers[0].image}}'")
    assert shown == "busybox:1"
    assert typist.ok("kubectl get pod one -o jsonpath='{.spec.containers[0].image}'") == "httpd:1"
