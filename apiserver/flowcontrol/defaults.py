"""Defaults: the priority levels and FlowSchemas that every cluster has, with upstream's names and figures. Pure.

Mandatory ones (`exempt`, `catch-all`) are always so; suggested ones are kept so unless their annotation says `false`.
https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#defaults
kubernetes pkg/apis/flowcontrol/bootstrap/default.go
"""

from collections.abc import Iterable, Sequence

from kube.api.meta import Tree

GROUP_VERSION = "flowcontrol.apiserver.k8s.io/v1"
AUTO_UPDATE = "apf.kubernetes.io/autoupdate-spec"
MANDATORY = ("catch-all", "exempt")
EVERYBODY = ("system:unauthenticated", "system:authenticated")
QUEUE_LENGTH = 50
ALL = ("*",)
LEASES = ("coordination.k8s.io", ("leases",))
LOCK_VERBS = ("get", "create", "update")
CONTROLLER_MANAGER, SCHEDULER = "system:kube-controller-manager", "system:kube-scheduler"

LIMITED = (  # name, shares, lendable percent, queues, hand size
    ("global-default", 20, 50, 128, 6),
    ("leader-election", 10, 0, 16, 4),
    ("node-high", 40, 25, 64, 6),
    ("system", 30, 33, 64, 6),
    ("workload-high", 40, 50, 128, 6),
    ("workload-low", 100, 90, 128, 6),
)


def levels() -> list[Tree]:
    """The PriorityLevelConfigurations."""
    exempt = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}
    rejecting = {"nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}
    found = [_level("exempt", exempt), _level("catch-all", {"type": "Limited", "limited": rejecting})]
    for name, shares, lendable, queues, hand_size in LIMITED:
        queuing = {"queues": queues, "handSize": hand_size, "queueLengthLimit": QUEUE_LENGTH}
        response = {"type": "Queue", "queuing": queuing}
        limited = {"nominalConcurrencyShares": shares, "lendablePercent": lendable, "limitResponse": response}
        found.append(_level(name, {"type": "Limited", "limited": limited}))
    return found


def schemas() -> list[Tree]:
    """The FlowSchemas, by precedence."""
    nodes, accounts = _groups("system:nodes"), _accounts("*")
    everything = [_resources(ALL, "*", ALL, cluster=True)]
    node_rules = [_resources(ALL, "", ("nodes", "nodes/status"), cluster=True), _resources(ALL, *LEASES)]
    leases, locks = _resources(LOCK_VERBS, *LEASES), _resources(LOCK_VERBS, "", ("endpoints", "configmaps"))
    endpoints = [*_users(CONTROLLER_MANAGER), *_accounts("endpoint-controller", "endpointslicemirroring-controller")]
    health = _rules(_groups(*EVERYBODY), [], [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}])
    return [
        _schema("exempt", "exempt", 1, "", _rules(_groups("system:masters"), everything)),
        _schema("probes", "exempt", 2, "", health),
        _schema("system-leader-election", "leader-election", 100, "ByUser",
                _rules([*_users(CONTROLLER_MANAGER, SCHEDULER), *accounts], [leases], [])),
        _schema("endpoint-controller", "workload-high", 150, "ByUser",
                _rules(endpoints, [_resources(LOCK_VERBS, "", ("endpoints",))], [])),
        _schema("workload-leader-election", "leader-election", 200, "ByUser", _rules(accounts, [locks, leases], [])),
        _schema("system-node-high", "node-high", 400, "ByUser", _rules(nodes, node_rules, [])),
        _schema("system-nodes", "system", 500, "ByUser", _rules(nodes, everything)),
        _schema("kube-controller-manager", "workload-high", 800, "ByNamespace", _rules(_users(CONTROLLER_MANAGER), everything)),
        _schema("kube-scheduler", "workload-high", 800, "ByNamespace", _rules(_users(SCHEDULER), everything)),
        _schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", _rules(accounts, everything)),
        _schema("service-accounts", "workload-low", 9000, "ByUser", _rules(_groups("system:serviceaccounts"), everything)),
        _schema("global-default", "global-default", 9900, "ByUser", _rules(_groups(*EVERYBODY), everything)),
        _schema("catch-all", "catch-all", 10000, "ByUser", _rules(_groups(*EVERYBODY), everything)),
    ]  # fmt: skip


def _object(kind: str, name: str, spec: Tree) -> Tree:
    metadata = {"name": name, "annotations": {AUTO_UPDATE: "true"}}
    return {"apiVersion": GROUP_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _level(name: str, spec: Tree) -> Tree:
    return _object("PriorityLevelConfiguration", name, spec)


def _schema(name: str, level: str, precedence: int, method: str, rules: Tree) -> Tree:
    spec: Tree = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence, "rules": [rules]}
    if method:
        spec["distinguisherMethod"] = {"type": method}
    return _object("FlowSchema", name, spec)


def _rules(subjects: Sequence[Tree], resources: Sequence[Tree], paths: Sequence[Tree] | None = None) -> Tree:
    """Without `paths`, all of them."""
    other = [{"verbs": ["*"], "nonResourceURLs": ["*"]}] if paths is None else list(paths)
    tree = {"subjects": list(subjects), "resourceRules": list(resources), "nonResourceRules": other}
    return {name: value for name, value in tree.items() if value}


def _resources(verbs: Iterable[str], group: str, resources: Iterable[str], *, cluster: bool = False) -> Tree:
    tree: Tree = {"verbs": list(verbs), "apiGroups": [group], "resources": list(resources), "namespaces": ["*"]}
    return tree | ({"clusterScope": True} if cluster else {})


def _groups(*names: str) -> list[Tree]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _users(*names: str) -> list[Tree]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _accounts(*names: str) -> list[Tree]:
    return [{"kind": "ServiceAccount", "serviceAccount": {"name": name, "namespace": "kube-system"}} for name in names]
