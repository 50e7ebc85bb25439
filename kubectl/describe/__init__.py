"""DESCRIBERS: which kinds `kubectl describe` has words of its own for; every other kind gets all of its fields (`generic`).

A describer is a pure function from the object, and what was gathered around it, to text in which tabs end cells.
kubernetes/kubectl pkg/describe/describe.go
"""

from collections.abc import Callable, Mapping

from kube.api.meta import Tree
from kubectl.describe import (
    access,
    deployment,
    generic,
    limits,
    netpol,
    network,
    node,
    pod,
    replicaset,
    service,
    small,
    storage,
    workloads,
)
from kubectl.describe.around import Around

Describer = Callable[[Tree, Around], str]

DESCRIBERS: Mapping[tuple[str, str], Describer] = {
    ("", "Pod"): pod.describe,
    ("", "Node"): node.describe,
    ("apps", "Deployment"): deployment.describe,
    ("apps", "ReplicaSet"): replicaset.describe,
    ("", "ReplicationController"): replicaset.describe,
    ("apps", "DaemonSet"): replicaset.describe_daemon_set,
    ("", "Service"): service.describe,
    ("", "Namespace"): small.namespace,
    ("", "ConfigMap"): small.config_map,
    ("", "Secret"): small.secret,
    ("", "ServiceAccount"): small.service_account,
    ("", "Endpoints"): service.endpoints,
    ("", "ResourceQuota"): limits.quota,
    ("", "LimitRange"): limits.limit_range,
    ("", "PersistentVolumeClaim"): storage.claim,
    ("", "PersistentVolume"): storage.volume,
    ("storage.k8s.io", "StorageClass"): storage.storage_class,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("batch", "Job"): workloads.job,
    ("batch", "CronJob"): workloads.cron_job,
    ("autoscaling", "HorizontalPodAutoscaler"): limits.autoscaler,
    ("policy", "PodDisruptionBudget"): limits.disruption_budget,
    ("scheduling.k8s.io", "PriorityClass"): limits.priority_class,
    ("networking.k8s.io", "Ingress"): network.ingress,
    ("networking.k8s.io", "IngressClass"): network.ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): netpol.describe,
    ("discovery.k8s.io", "EndpointSlice"): network.endpoint_slice,
    ("rbac.authorization.k8s.io", "Role"): access.role,
    ("rbac.authorization.k8s.io", "ClusterRole"): access.role,
    ("rbac.authorization.k8s.io", "RoleBinding"): access.binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): access.binding,
    ("certificates.k8s.io", "CertificateSigningRequest"): access.signing_request,
}


def describe(group: str, kind: str, tree: Tree, around: Around) -> str:
    """The description, aligned."""
    from kubectl.printers.tabwriter import align

    return align(DESCRIBERS.get((group, kind), generic.describe)(tree, around))


__all__ = ["DESCRIBERS", "Around", "describe"]
