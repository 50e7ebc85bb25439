"""Rules: whether rules and selectors choose a request. Pure.

A rule names operations, API groups, versions and resources ("*" is any; "pods/exec", "*/scale", "pods/*" name subresources,
"*/*" is everything, "*" everything but subresources), a scope and, in policies, names of objects. One that fits is enough.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
apiserver pkg/admission/plugin/webhook/predicates/{rules,object}
"""

from collections.abc import Iterable

from apiserver.context import AdmissionAttributes
from kube.api.labels import Selector
from kube.api.meta import Tree
from kube.api.resource import Resource


def fits(rules: Iterable[Tree], attributes: AdmissionAttributes, row: Resource) -> bool:
    """Whether any rule fits the request, taken as one for this row."""
    return any(_fits(rule, attributes, row) for rule in rules)


def _fits(rule: Tree, attributes: AdmissionAttributes, row: Resource) -> bool:
    operation, subresource, namespace = attributes.operation, attributes.subresource, attributes.namespace
    named = rule.get("resourceNames")
    if named and attributes.name not in named:
        return False
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
