"""What admission policies and their bindings share: defaults, rules and columns.

kubernetes pkg/apis/admissionregistration/v1/defaults.go and validation
"""

from collections.abc import Iterator
from typing import Any

from kube.api.admissionregistration.webhooks import set_rule_defaults
from kube.api.columns import AGE, UNSET, plain
from kube.api.meta import Tree
from kube.api.resource import Column
from kube.api.status import FieldError, required


def set_policy_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    _set_match_defaults(spec.get("matchConstraints"))


def set_binding_defaults(tree: Tree) -> None:
    _set_match_defaults((tree.get("spec") or {}).get("matchResources"))


def _set_match_defaults(match: Tree | None) -> None:
    if match is None:
        return
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    set_rule_defaults(match.get("resourceRules") or [])
    set_rule_defaults(match.get("excludeResourceRules") or [])


def match_errors(policy: Any) -> Iterator[FieldError]:
    match = policy.spec.matchConstraints if policy.spec else None
    if match is None:
        yield required("spec.matchConstraints")
    elif not match.resourceRules:
        yield required("spec.matchConstraints.resourceRules")


def binding_errors(binding: Any) -> Iterator[FieldError]:
    if not binding.spec or not binding.spec.policyName:
        yield required("spec.policyName")


def param_kind(policy: Any) -> str:
    kind = policy.spec.paramKind
    return f"{kind.apiVersion}/{kind.kind}" if kind is not None else UNSET


def param_reference(binding: Any) -> str:
    """`namespace/name`, or `namespace/*` where a selector chooses."""
    reference = binding.spec.paramRef
    if reference is None:
        return UNSET
    name = reference.name or "*"
    return f"{reference.namespace}/{name}" if reference.namespace else name


BINDING_COLUMNS: tuple[Column, ...] = (
    plain("PolicyName", lambda binding: binding.spec.policyName),
    plain("ParamRef", param_reference),
    AGE,
)
