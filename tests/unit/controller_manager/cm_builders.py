"""Views for the controllers' tests: valid, minimal, with what the test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kube.api.meta import Tree
from kube.api.types import DaemonSet, Deployment, EndpointSlice, Job, Node, Pod, ReplicaSet, Service
from kube.api.views import timestamp, view

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
TEMPLATE: Tree = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def ago(seconds: float) -> str:
    return timestamp(NOW - timedelta(seconds=seconds))


def owned(kind: str, uid: str, name: str = "owner") -> Tree:
    reference = {"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "controller": True, "blockOwnerDeletion": True}
    return {"ownerReferences": [reference]}


def a_pod(
    name: str = "p",
    *,
    phase: str = "Running",
    ready: bool = True,
    node: str = "n",
    age: float = 100,
    ready_for: float = 50,
    restarts: int = 0,
    status: Tree | None = None,
    spec: Tree | None = None,
    **metadata: Any,
) -> Pod:
    told = {
        "phase": phase,
        "conditions": [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ago(ready_for)}],
        "containerStatuses": [{"name": "c", "ready": ready, "restartCount": restarts, "image": "i", "imageID": ""}],
    }
    head = {"name": name, "namespace": "default", "uid": f"uid-{name}", "creationTimestamp": ago(age), "labels": {"app": "web"}}
    body = {"containers": [{"name": "c", "image": "i"}], **({"nodeName": node} if node else {}), **(spec or {})}
    return view(Pod, {"metadata": {**head, **metadata}, "spec": body, "status": {**told, **(status or {})}})


def a_replica_set(name: str = "rs", replicas: int = 1, *, age: float = 100, image: str = "i", **more: Any) -> ReplicaSet:
    status = {"replicas": replicas, "availableReplicas": more.pop("available", replicas), "observedGeneration": 1}
    template = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": image}]}}
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "creationTimestamp": ago(age),
        "generation": 1,
        "resourceVersion": "1",
        "annotations": more.pop("annotations", {}),
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **more}
    return view(ReplicaSet, {"metadata": metadata, "spec": spec, "status": status})


def a_deployment(replicas: int = 3, *, surge: Any = "25%", unavailable: Any = "25%", image: str = "i", **more: Any) -> Deployment:
    strategy: Tree = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    if more.pop("recreate", False):
        strategy = {"type": "Recreate"}
    status = more.pop("status", {})
    metadata = {
        "name": "d",
        "namespace": "default",
        "uid": "uid-d",
        "generation": 1,
        "annotations": more.pop("annotations", {}),
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": image}]}},
        "strategy": strategy,
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
        **more,
    }
    return view(Deployment, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec, "status": status})


def a_job(*, status: Tree | None = None, **spec: Any) -> Job:
    metadata = {"name": "j", "namespace": "default", "uid": "uid-j"}
    wanted = {"template": {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}, "parallelism": 1}
    tree = {"metadata": metadata, "spec": {**wanted, "backoffLimit": 6, **spec}, "status": status or {}}
    return view(Job, {"apiVersion": "batch/v1", "kind": "Job", **tree})


def a_daemon_set(**spec: Any) -> DaemonSet:
    wanted = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE, "updateStrategy": {"type": "RollingUpdate"}}
    metadata = {"name": "ds", "namespace": "default", "uid": "uid-ds", "generation": 1}
    return view(DaemonSet, {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": {**wanted, **spec}})


def a_node(name: str = "n", *, ready: str = "True", labels: Tree | None = None, conditions: Any = (), **spec: Any) -> Node:
    status = {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": ago(1)}, *conditions]}
    metadata = {"name": name, "uid": f"uid-{name}", "creationTimestamp": ago(1000), "labels": labels or {}}
    return view(Node, {"metadata": metadata, "spec": spec, "status": status})


def a_service(**spec: Any) -> Service:
    wanted = {"selector": {"app": "web"}, "clusterIP": "10.96.0.9", "ports": [{"port": 80, "targetPort": 8080}]}
    metadata = {"name": "svc", "namespace": "default", "uid": "uid-svc", "labels": {"team": "a"}}
    return view(Service, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {**wanted, **spec}})


def a_slice(name: str, endpoints: list[Tree], ports: list[Tree], labels: Tree) -> EndpointSlice:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": "1", "labels": labels}
    return view(EndpointSlice, {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": ports})
