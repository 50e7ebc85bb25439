"""DESCRIBERS: which kinds `kubectl describe` has words of its own for; every other kind gets all of its fields (`generic`).

A describer is a pure function from the object, and what was gathered around it, to text in which tabs end cells.
kubernetes/kubectl pkg/describe/describe.go
"""

from collections.abc import Callable, Mapping

from kube.api.meta import Tree
from kubectl.describe import deployment, generic, node, pod, replicaset, service, small
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
}


def describe(group: str, kind: str, tree: Tree, around: Around) -> str:
    """The description, aligned."""
    from kubectl.printers.tabwriter import align

    return align(DESCRIBERS.get((group, kind), generic.describe)(tree, around))


__all__ = ["DESCRIBERS", "Around", "describe"]
