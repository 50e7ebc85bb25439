"""Classify: whether a FlowSchema matches a request. Pure.

apiserver pkg/util/flowcontrol/rule.go · https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/flow-schema-v1/
"""

from apiserver.context import RequestInfo, User
from kube.api.meta import Tree

SERVICE_ACCOUNT = "system:serviceaccount:"


def matches(schema: Tree, user: User, info: RequestInfo) -> bool:
    """Whether any of its rules names both the user and the request."""
    return any(_rule_matches(rule, user, info) for rule in schema["spec"].get("rules") or ())


def distinguisher(schema: Tree, user: User, info: RequestInfo) -> str:
    """What tells the flows of a FlowSchema apart."""
    match (schema["spec"].get("distinguisherMethod") or {}).get("type"):
        case "ByUser":
            return user.name
        case "ByNamespace":
            return info.namespace
    return ""


def _rule_matches(rule: Tree, user: User, info: RequestInfo) -> bool:
    if not any(_is_subject(subject, user) for subject in rule.get("subjects") or ()):
        return False
    if info.is_resource:
        return any(_resource_matches(one, info) for one in rule.get("resourceRules") or ())
    return any(_path_matches(one, info) for one in rule.get("nonResourceRules") or ())


def _is_subject(subject: Tree, user: User) -> bool:
    match subject["kind"]:
        case "User":
            return subject["user"]["name"] in ("*", user.name)
        case "Group":
            name = subject["group"]["name"]
            return name == "*" or name in user.groups
        case "ServiceAccount":
            account = subject["serviceAccount"]
            prefix = f"{SERVICE_ACCOUNT}{account['namespace']}:"
            return user.name.startswith(prefix) if account["name"] == "*" else user.name == prefix + account["name"]
    return False


def _resource_matches(rule: Tree, info: RequestInfo) -> bool:
    resource = f"{info.plural}/{info.subresource}" if info.subresource else info.plural
    if not (_has(rule, "verbs", info.verb) and _has(rule, "apiGroups", info.api_group) and _has(rule, "resources", resource)):
        return False
    return _has(rule, "namespaces", info.namespace) if info.namespace else bool(rule.get("clusterScope"))


def _path_matches(rule: Tree, info: RequestInfo) -> bool:
    return _has(rule, "verbs", info.verb) and any(_is_below(url, info.path) for url in rule.get("nonResourceURLs") or ())


def _is_below(pattern: str, path: str) -> bool:
    if pattern == "*":
        return True
    return path.startswith(pattern[:-1]) if pattern.endswith("/*") else path == pattern


def _has(rule: Tree, name: str, wanted: str) -> bool:
    values = rule.get(name) or ()
    return "*" in values or wanted in values
