"""The words that the policy is written in. Lists are texts with blanks between; `core` is the group without a name."""

from kube.api.meta import Tree

GROUP = "rbac.authorization.k8s.io"
LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"

READ = "get list watch"
WRITE = "create delete deletecollection patch update"


def rule(verbs: str, groups: str, resources: str, names: str = "") -> Tree:
    tree: Tree = {
        "verbs": sorted(verbs.split()),
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": resources.split(),
    }
    return tree | ({"resourceNames": names.split()} if names else {})


def paths(urls: str, verbs: str = "get") -> Tree:
    return {"verbs": verbs.split(), "nonResourceURLs": urls.split()}


EVENTS = rule("create update patch", "core events.k8s.io", "events")


def cluster_role(name: str, *rules: Tree, labels: Tree | None = None) -> Tree:
    return {"metadata": _metadata(name, labels), "rules": list(rules)}


def aggregated_role(name: str, label: str, labels: Tree | None = None) -> Tree:
    """A role whose rules are those of every role with the label."""
    selectors = [{"matchLabels": {label: "true"}}]
    return {"metadata": _metadata(name, labels), "aggregationRule": {"clusterRoleSelectors": selectors}, "rules": []}


def role(namespace: str, name: str, *rules: Tree) -> Tree:
    metadata = _metadata(name) | {"namespace": namespace}
    return {"metadata": metadata, "rules": list(rules)}


def group(name: str) -> Tree:
    return {"kind": "Group", "apiGroup": GROUP, "name": name}


def user(name: str) -> Tree:
    return {"kind": "User", "apiGroup": GROUP, "name": name}


def account(name: str, namespace: str = "kube-system") -> Tree:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def cluster_binding(name: str, *subjects: Tree, role: str = "") -> Tree:
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role or name}
    return {"metadata": _metadata(name), "roleRef": reference, "subjects": list(subjects)}


def binding(namespace: str, name: str, *subjects: Tree, role: str = "") -> Tree:
    reference = {"apiGroup": GROUP, "kind": "Role", "name": role or name}
    return {"metadata": _metadata(name) | {"namespace": namespace}, "roleRef": reference, "subjects": list(subjects)}


def _metadata(name: str, labels: Tree | None = None) -> Tree:
    return {"name": name, "labels": {**LABELS, **(labels or {})}, "annotations": {AUTOUPDATE: "true"}}
