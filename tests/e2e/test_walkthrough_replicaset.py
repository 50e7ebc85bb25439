"""Section 3 of the tutorial: a ReplicaSet, typed as it stands there."""

import re

from tests.e2e.conftest import Cluster


def running(shell: Cluster) -> list[str]:
    """The names of the set's pods that are not on their way out."""
    lines = shell.ok("kubectl get pods -l app=rs-demo --no-headers").splitlines()
    return [line.split()[0] for line in lines if "Terminating" not in line]


def ready(shell: Cluster, count: int) -> None:
    shell.until("kubectl get replicaset rs-example -o jsonpath='ready={.status.readyReplicas}'", f"ready={count}")


def test_replicaset_keeps_its_number(shell: Cluster) -> None:
    """Rule: walkthrough section 3, first half: apply, delete, relabel, adopt."""
    assert shell.ok("kubectl apply -f rs-example.yaml") == "replicaset.apps/rs-example created\n"
    ready(shell, 2)
    out = shell.ok("kubectl get replicaset rs-example -o wide")
    assert out.split()[:8] == ["NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    victim = running(shell)[0]
    assert f'pod "{victim}" deleted' in shell.ok(f"kubectl delete pods {victim}")
    ready(shell, 2)
    freed = running(shell)[0]
    assert shell.ok(f"kubectl label pods {freed} app= --overwrite") == f"pod/{freed} labeled\n"
    ready(shell, 2)
    assert freed not in running(shell)
    shell.until(f"kubectl get pod {freed} -o jsonpath='owners={{.metadata.ownerReferences}}'", "owners=")
    assert shell.ok("kubectl create -f pod-example.yaml") == "pod/pod-example created\n"
    assert shell.ok("kubectl label pods pod-example app=rs-demo") == "pod/pod-example labeled\n"
    shell.until("kubectl get replicaset rs-example -o jsonpath='n={.status.replicas}'", "n=2")
    shell.until("kubectl describe replicasets/rs-example", "SuccessfulDelete")
    text = shell.until("kubectl describe replicasets/rs-example", "2 Running / 0 Waiting / 0 Succeeded / 0 Failed")
    assert re.search(r"^Replicas:\s+2 current / 2 desired$", text, re.MULTILINE)
    assert "SuccessfulCreate" in text


def test_replicaset_template_and_scale(shell: Cluster) -> None:
    """Rule: walkthrough section 3, second half: replace, custom columns, scale, preconditions, orphans."""
    images = "kubectl get pods -l app=rs-demo -o custom-columns=Name:metadata.name,Image:spec.containers[0].image"
    shell.ok("kubectl create -f rs-example.yaml")
    ready(shell, 2)
    assert shell.ok("kubectl replace -f rs-example-v2.yaml") == "replicaset.apps/rs-example replaced\n"
    lines = shell.ok(images).splitlines()
    assert lines[0].split() == ["Name", "Image"]
    assert [line.split()[1] for line in lines[1:]] == ["nginx:1.14.1"] * 2
    shell.ok("kubectl delete pods -l app=rs-demo")
    ready(shell, 2)
    assert {line.split()[1] for line in shell.ok(images).splitlines()[1:]} == {"nginx:1.15.5"}
    assert shell.ok("kubectl scale replicasets rs-example --replicas=3") == "replicaset.apps/rs-example scaled\n"
    ready(shell, 3)
    error = shell.fails("kubectl scale replicasets rs-example --current-replicas=2 --replicas=4")
    assert "xpected replicas to be 2, was 3" in error
    shell.ok("kubectl delete replicasets rs-example --cascade=orphan")
    assert len(running(shell)) == 3
