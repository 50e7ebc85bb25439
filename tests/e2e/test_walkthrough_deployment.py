"""Section 4 of the tutorial: a Deployment's life, typed as it stands there (without autoscale)."""

import re

from tests.e2e.conftest import Cluster

DEPLOY = "deployments myapp-deploy"


def settled(shell: Cluster, image: str) -> None:
    """The roll-out is through, and only pods of this image are left."""
    out = shell.ok("kubectl rollout status deployment myapp-deploy --timeout=60s", within=70)
    assert out.endswith('deployment "myapp-deploy" successfully rolled out\n')
    images = "kubectl get pods -l app=myapp -o jsonpath='{.items[*].spec.containers[0].image}'"
    shell.until(f"{images}; echo .", " ".join([image] * 3) + ".\n")


def headers(shell: Cluster) -> str:
    """What one of the pods answers to curl -I."""
    name = shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[0].metadata.name}'")
    return shell.ok(f"fetch -I http://$(kubectl get pods {name} -o go-template={{{{.status.podIP}}}}) ")


def test_deployment_rolls_out_and_back(shell: Cluster) -> None:
    """Rule: walkthrough section 4: apply --record, set image, undo, history."""
    assert "deployment.apps/myapp-deploy created" in shell.ok("kubectl apply -f myapp-deploy.yaml --record")
    settled(shell, "nginx:1.14.1")
    header, row = shell.ok(f"kubectl get {DEPLOY}").splitlines()
    assert header.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:4] == ["myapp-deploy", "3/3", "3", "3"]
    name = shell.ok("kubectl get replicasets -l app=myapp -o jsonpath='{.items[0].metadata.name}'")
    assert re.fullmatch(r"myapp-deploy-[bcdfghjklmnpqrstvwxz2456789]+", name)
    patched = f"""kubectl patch {DEPLOY} -p '{{"spec": {{"minReadySeconds": 1}}}}'"""
    assert shell.ok(patched) == "deployment.apps/myapp-deploy patched\n"
    assert shell.ok("kubectl get replicasets -l app=myapp -o name").count("replicaset") == 1
    shell.ok(f"kubectl set image {DEPLOY} myapp=nginx:1.15.5")
    settled(shell, "nginx:1.15.5")
    assert "Server: nginx/1.15.5" in headers(shell)
    assert "deployment.apps/myapp-deploy rolled back" in shell.ok(f"kubectl rollout undo {DEPLOY}")
    settled(shell, "nginx:1.14.1")
    history = shell.ok(f"kubectl rollout history {DEPLOY}")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
    assert "REVISION  CHANGE-CAUSE" in history
    shell.ok(f"kubectl rollout undo {DEPLOY} --to-revision=2")
    settled(shell, "nginx:1.15.5")


def test_deployment_canary_by_pause_and_resume(shell: Cluster) -> None:
    """Rule: walkthrough section 4: one new pod beside three old ones while paused."""
    shell.ok("kubectl apply -f myapp-deploy.yaml")
    settled(shell, "nginx:1.14.1")
    shell.ok(f"""kubectl patch {DEPLOY} -p '{{"spec": {{"minReadySeconds": 5}}}}'""")  # time to pause after the first new pod
    surge = '{"spec": {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}}'
    shell.ok(f"kubectl patch {DEPLOY} -p '{surge}'")
    shell.ok(f"kubectl set image {DEPLOY} myapp=nginx:1.15.7 && kubectl rollout pause {DEPLOY}")
    watcher = shell.start("kubectl rollout status deployment myapp-deploy")
    try:
        shell.until(f"kubectl get {DEPLOY} -o jsonpath='n={{.status.replicas}} u={{.status.updatedReplicas}}'", "n=4 u=1")
        line = watcher.stdout.readline()
        assert re.match(r'Waiting for deployment "myapp-deploy" rollout to finish: \d out of 3 new replicas have been', line)
    finally:
        watcher.terminate()
        watcher.communicate(timeout=10)
    images = shell.ok("kubectl get pods -l app=myapp -o jsonpath='{.items[*].spec.containers[0].image}'").split()
    assert sorted(images) == ["nginx:1.14.1"] * 3 + ["nginx:1.15.7"]
    assert "deployment.apps/myapp-deploy resumed" in shell.ok(f"kubectl rollout resume {DEPLOY}")
    settled(shell, "nginx:1.15.7")


def test_deployment_describe_scale_and_edit(shell: Cluster) -> None:
    shell.ok("kubectl apply -f myapp-deploy.yaml")
    settled(shell, "nginx:1.14.1")
    text = shell.ok(f"kubectl describe {DEPLOY}")
    for pattern in (
        r"^StrategyType:\s+RollingUpdate$",
        r"^RollingUpdateStrategy:\s+25% max unavailable, 25% max surge$",
        r"^Conditions:$",
        r"^NewReplicaSet:\s+myapp-deploy-\w+ \(3/3 replicas created\)$",
        r"ScalingReplicaSet\s.*Scaled up replica set myapp-deploy-\w+ from 0 to 3$",
    ):
        assert re.search(pattern, text, re.MULTILINE), f"{pattern} in\n{text}"
    assert shell.ok(f"kubectl scale {DEPLOY} --replicas=2") == "deployment.apps/myapp-deploy scaled\n"
    shell.until(f"kubectl get {DEPLOY} -o jsonpath='ready={{.status.readyReplicas}} of={{.status.replicas}}'", "ready=2 of=2")
    editor = shell.state / "editor.sh"
    editor.write_text("#!/bin/sh\nsed -i 's/  replicas: 2/  replicas: 3/' $1\n")
    editor.chmod(0o755)
    edit = f"EDITOR={editor} kubectl edit {DEPLOY}"
    assert shell.ok(edit) == "deployment.apps/myapp-deploy edited\n"
    settled(shell, "nginx:1.14.1")
