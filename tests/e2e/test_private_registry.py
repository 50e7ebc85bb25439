"""Images of a private registry: who has its login gets them, as a container's image and as a volume; who lacks it is told so."""

from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.conftest import REPOSITORY, Cluster
from tests.e2e.test_pod_life import namespace
from tests.wait import eventually_sync

WITHIN = 60


@pytest.fixture
def registry(cluster: Cluster) -> Iterator[str]:
    """host:port of a private registry on the cluster's machine."""
    process = cluster.start(f"env PYTHONPATH={REPOSITORY} {REPOSITORY}/.venv/bin/python -m tests.registry me word")
    with process:
        assert process.stdout is not None, "it is a pipe"
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def pod(name: str, image: str, *, volume: bool = True, **spec: object) -> str:
    container: dict[str, object] = {"name": "main", "image": image, "command": ["sh", "-c", "ls /files/bin/busybox; sleep 1000"]}
    if volume:
        container["volumeMounts"] = [{"name": "files", "mountPath": "/files"}]
        spec["volumes"] = [{"name": "files", "image": {"reference": image, "pullPolicy": "Always"}}]
    body = {"terminationGracePeriodSeconds": 0, "containers": [container], **spec}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body})


@pytest.mark.root
def test_a_private_registrys_image_is_for_pods_that_have_its_login(cluster: Cluster, registry: str) -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/

    Conformance: [sig-node] ImageVolume should succeed with pod and pull policy of Always [LinuxOnly] [MinimumKubeletVersion:1.35] [Conformance]
    """  # noqa: E501
    shell = namespace(cluster, "private-registry")
    shell.ok("kubectl apply -f -", stdin=pod("stranger", f"{registry}/team/app:1"))
    shell.ok(f"kubectl create secret docker-registry login --docker-server={registry} --docker-username=me --docker-password=word")
    shell.ok("""kubectl patch serviceaccount default -p '{"imagePullSecrets": [{"name": "login"}]}'""")
    shell.ok("kubectl apply -f -", stdin=pod("member", f"{registry}/team/app:1"))
    shell.until("kubectl get pod member -o jsonpath='{.status.phase}'", "Running", within=WITHIN)
    assert shell.ok("kubectl logs member") == "/files/bin/busybox\n"
    digest = shell.ok("kubectl get pod member -o jsonpath='{.status.containerStatuses[0].imageID}'")
    assert f"{registry}/team/app@sha256:" in digest

    shell.ok("kubectl create serviceaccount bare")
    shell.ok("kubectl apply -f -", stdin=pod("late", f"{registry}/team/app:1", volume=False, serviceAccountName="bare"))
    waiting = "kubectl get pod late -o jsonpath='{.status.containerStatuses[0].state.waiting.reason}'"
    shell.until(waiting, "ImagePull", within=WITHIN)  # though the image is there: its registry gave it to somebody else

    def told() -> str:
        return shell.ok("kubectl get events --field-selector involvedObject.name=stranger -o jsonpath='{..reason}'")

    eventually_sync(lambda: "FailedMount" in told(), WITHIN, "the stranger being told why it waits")
    assert shell.ok("kubectl get pod stranger -o jsonpath='{.status.phase}'") == "Pending"
    shell.ok("kubectl delete namespace private-registry --wait=false")
