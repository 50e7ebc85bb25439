"""A pod's account: the token, authority and namespace that it finds in its files, and what they are good for."""

import base64
import json

from tests.e2e.conftest import Cluster

PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"
PROJECTED = """
apiVersion: v1
kind: Pod
metadata: {name: projected}
spec:
  serviceAccountName: robot
  securityContext: {runAsUser: 1000, runAsGroup: 10000, fsGroup: 10000}
  terminationGracePeriodSeconds: 0
  volumes:
  - name: token
    projected:
      sources: [{serviceAccountToken: {path: token, expirationSeconds: 3600, audience: elsewhere}}]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: Never
    command: [sleep, "3600"]
    volumeMounts: [{name: token, mountPath: /test-volume}]
"""
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}


def test_every_container_has_its_accounts_token(shell: Cluster) -> None:
    """Rule: behaviour E.5.55, https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/

    Conformance: [sig-auth] ServiceAccounts should mount an API token into pods [Conformance]
    """
    shell.ok("kubectl create serviceaccount robot")
    override = json.dumps({"spec": {"serviceAccountName": "robot"}})
    shell.ok(f"kubectl run holder --image=busybox --image-pull-policy=Never --overrides='{override}' -- sleep 3600")
    shell.ok("kubectl wait --for=condition=Ready pod/holder --timeout=60s", within=70)
    token = shell.ok(f"kubectl exec holder -- cat {PLACE}/token")
    status = reviewed(shell, {"token": token})
    user = f"system:serviceaccount:{shell.namespace}:robot"
    assert (status["authenticated"], status["user"]["username"]) == (True, user)
    assert status["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["holder"]
    assert shell.ok(f"kubectl exec holder -- cat {PLACE}/namespace") == shell.namespace
    authority = shell.ok("kubectl get configmap kube-root-ca.crt -o jsonpath='{.data.ca\\.crt}'")
    assert shell.ok(f"kubectl exec holder -- cat {PLACE}/ca.crt") == authority
    assert (
        shell.ok(f"kubectl auth whoami --token='{token}' --kubeconfig={bare(shell)} -o jsonpath='{{.status.userInfo.username}}'")
        == user
    )
    shell.ok("kubectl delete pod holder --now")
    assert reviewed(shell, {"token": token}).get("authenticated") is not True


def test_a_projected_token_is_for_whom_it_was_asked(shell: Cluster) -> None:
    """Rule: behaviour E.5.55
    https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-token-volume-projection

    Conformance: [sig-auth] ServiceAccounts should mount projected service account token [Conformance]
    """
    shell.ok("kubectl create serviceaccount robot")
    shell.ok("kubectl apply -f -", stdin=PROJECTED)
    shell.ok("kubectl wait --for=condition=Ready pod/projected --timeout=60s", within=70)
    token = shell.ok("kubectl exec projected -- cat /test-volume/token")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == ["elsewhere"]
    assert claims["sub"] == f"system:serviceaccount:{shell.namespace}:robot"
    assert claims["kubernetes.io"]["pod"]["name"] == "projected"
    assert 0 < claims["exp"] - claims["iat"] <= 3607  # a clock may be a little off
    assert reviewed(shell, {"token": token, "audiences": ["elsewhere"]})["authenticated"] is True
    assert reviewed(shell, {"token": token}).get("authenticated") is not True
    assert shell.ok("kubectl exec projected -- stat -L -c '%a %g' /test-volume/token") == "640 10000\n"


def reviewed(shell: Cluster, spec: dict[str, object]) -> dict[str, object]:
    """What the API server says of a token."""
    answer = json.loads(shell.ok("kubectl create -o json -f -", stdin=json.dumps({**REVIEW, "spec": spec})))
    status: dict[str, object] = answer["status"]
    return status


def bare(shell: Cluster) -> str:
    """A kubeconfig that knows the server and nobody's credentials."""
    path = shell.state / "nobody.conf"
    shell.ok(f"kubectl config view --raw --minify -o json > {path}")
    config = json.loads(path.read_text())
    config["users"][0]["user"] = {}
    path.write_text(json.dumps(config))
    return str(path)
