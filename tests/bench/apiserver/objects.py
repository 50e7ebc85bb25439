"""What the benchmark stores: ConfigMaps of 1 KiB, and 500 pods of about 2 KiB, as a kubelet leaves them."""

import json
import ssl
from http.client import HTTPSConnection
from typing import Any

TOKEN = "bench-token"
NAMESPACE = "bench"
CREATED_PODS = "bench-pods"  # a namespace of its own: the one above has so many to list
CONFIGMAPS, PODS, PATCHED_PODS = 100, 500, 100


def configmap(name: str, number: int) -> dict[str, Any]:
    data = {"number": str(number), "text": "x" * 1024}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(number: int) -> dict[str, Any]:
    mounts = [{"name": f"volume-{index}", "mountPath": f"/var/lib/volume-{index}"} for index in range(4)]
    container = {
        "name": "main", "image": "registry.example/app:1.2.3", "args": ["--verbose", "--listen=:8080"],
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}], "volumeMounts": mounts,
        "env": [{"name": f"VARIABLE_{index}", "value": f"value-{index}"} for index in range(6)],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }  # fmt: skip
    volumes = [{"name": f"volume-{index}", "emptyDir": {}} for index in range(4)]
    metadata = {"name": f"pod-{number}", "labels": {"app": f"app-{number % 10}", "tier": "backend"}}
    spec = {"containers": [container], "volumes": volumes, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def fill(port: int, trust: ssl.SSLContext) -> None:
    """Create the namespace and everything in it, on one connection."""
    connection = HTTPSConnection("127.0.0.1", port, context=trust)
    base = f"/api/v1/namespaces/{NAMESPACE}"
    try:
        for name in (NAMESPACE, CREATED_PODS):
            _post(connection, "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
            _post(connection, f"/api/v1/namespaces/{name}/serviceaccounts", account)
        for number in range(CONFIGMAPS):
            _post(connection, f"{base}/configmaps", configmap(f"cm-{number}", number))
        for number in range(PODS):
            _post(connection, f"{base}/pods", pod(number))
    finally:
        connection.close()


def _post(connection: HTTPSConnection, path: str, tree: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(tree), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status not in (201, 409):
        raise SystemExit(f"POST {path}: {answer.status} {text.decode()}")
