"""Rules: whether a webhook's rules and selectors choose a request. Pure.

A rule names operations, API groups, versions and resources ("*" is any; "pods/exec", "*/scale", "pods/*" name subresources,
"*/*" is everything, "*" everything but subresources), and a scope. A webhook is asked if any of its rules fits.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
apiserver pkg/admission/plugin/webhook/predicates/{rules,object}
"""

from collections.abc import Iterable

from kube.api.labels import Selector
from kube.api.meta import Tree
from kube.api.resource import Resource


def fits(rules: Iterable[Tree], operation: str, row: Resource, subresource: str, namespace: str) -> bool:
    """Whether any rule fits a request for this row."""
    return any(_fits(rule, operation, row, subresource, namespace) for rule in rules)


def _fits(rule: Tree, operation: str, row: Resource, subresource: str, namespace: str) -> bool:
    return (
        _has(rule.get("operations"), operation)
        and _has(rule.get("apiGroups"), row.group)
        and _has(rule.get("apiVersions"), row.version)
        and _in_scope(rule.get("scope") or "*", row, namespace)
        and any(_names(one, row.plural, subresource) for one in rule.get("resources") or ())
    )


def _has(values: list[str] | None, wanted: str) -> bool:
    return values is not None and ("*" in values or wanted in values)


def _in_scope(scope: str, row: Resource, namespace: str) -> bool:
    """A Namespace itself is not within a namespace, though its request says so."""
    inside = bool(namespace) and (row.group, row.plural) != ("", "namespaces")
    return scope == "*" or inside == (scope == "Namespaced")


def _names(pattern: str, plural: str, subresource: str) -> bool:
    resource, _, part = pattern.partition("/")
    return resource in ("*", plural) and (part == subresource or (part == "*" and "/" in pattern))


def any_labelled(selector: Selector, objects: Iterable[Tree | None]) -> bool:
    """Whether the selector chooses the new or the old object; what has no metadata is chosen by the empty selector only."""
    if selector.empty:
        return True
    return any(selector.matches(one["metadata"].get("labels")) for one in objects if one is not None and "metadata" in one)
