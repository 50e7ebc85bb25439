"""What roles and their bindings share: rules, subjects, references.

kubernetes pkg/apis/rbac/validation, pkg/apis/rbac/v1/defaults.go
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Column
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.types import PolicyRule

GROUP = "rbac.authorization.k8s.io"
SUBJECT_GROUPS = {"ServiceAccount": "", "User": GROUP, "Group": GROUP}


def set_binding_defaults(tree: Tree) -> None:
    tree.setdefault("roleRef", {}).setdefault("apiGroup", GROUP)
    if not tree["roleRef"]["apiGroup"]:
        tree["roleRef"]["apiGroup"] = GROUP
    for subject in tree.get("subjects") or ():
        group = SUBJECT_GROUPS.get(subject.get("kind", ""), "")
        if group and not subject.get("apiGroup"):
            subject["apiGroup"] = group


def rule_errors(rules: Iterable[PolicyRule] | None, *, namespaced: bool) -> Iterator[FieldError]:
    for index, rule in enumerate(rules or ()):
        at = f"rules[{index}]"
        if not rule.verbs:
            yield required(f"{at}.verbs", "verbs must contain at least one value")
        if rule.nonResourceURLs:
            if namespaced:
                text = "namespaced rules cannot apply to non-resource URLs"
                yield invalid(f"{at}.nonResourceURLs", rule.nonResourceURLs, text)
            if rule.apiGroups or rule.resources or rule.resourceNames:
                text = "rules cannot apply to both regular resources and non-resource URLs"
                yield invalid(f"{at}.nonResourceURLs", rule.nonResourceURLs, text)
            continue
        if not rule.apiGroups:
            yield required(f"{at}.apiGroups", "resource rules must supply at least one api group")
        if not rule.resources:
            yield required(f"{at}.resources", "resource rules must supply at least one resource")


def binding_errors(new: Any, old: Any, *, namespaced: bool) -> Iterator[FieldError]:
    role = new.roleRef
    if role.apiGroup != GROUP:
        yield unsupported("roleRef.apiGroup", role.apiGroup, (GROUP,))
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if role.kind not in kinds:
        yield unsupported("roleRef.kind", role.kind, kinds)
    yield from validation.named("roleRef.name", role.name, names.path_segment)
    for index, subject in enumerate(new.subjects or ()):
        yield from _subject(subject, f"subjects[{index}]", namespaced=namespaced)
    if old is not None and new.roleRef != old.roleRef:
        shown = {"APIGroup": role.apiGroup, "Kind": role.kind, "Name": role.name}
        yield invalid("roleRef", shown, "cannot change roleRef")


def _subject(subject: Any, at: str, *, namespaced: bool) -> Iterator[FieldError]:
    name, group = subject.name or "", subject.apiGroup or ""
    if not name:
        yield required(f"{at}.name")
    if subject.kind not in SUBJECT_GROUPS:
        yield unsupported(f"{at}.kind", subject.kind, tuple(SUBJECT_GROUPS))
        return
    if subject.kind == "ServiceAccount":
        if name:
            yield from validation.complain(f"{at}.name", name, names.subdomain)
        if not namespaced and not subject.namespace:
            yield required(f"{at}.namespace")
    if group != SUBJECT_GROUPS[subject.kind]:
        yield unsupported(f"{at}.apiGroup", group, (SUBJECT_GROUPS[subject.kind],))


def _names(binding: Any, kind: str) -> str:
    found = [one for one in binding.subjects or () if one.kind == kind]
    return ", ".join(f"{one.namespace}/{one.name}" if kind == "ServiceAccount" else one.name for one in found)


BINDING_COLUMNS: tuple[Column, ...] = (
    plain("Role", lambda binding: f"{binding.roleRef.kind}/{binding.roleRef.name}"),
    AGE,
    plain("Users", lambda binding: _names(binding, "User"), wide=True),
    plain("Groups", lambda binding: _names(binding, "Group"), wide=True),
    plain("ServiceAccounts", lambda binding: _names(binding, "ServiceAccount"), wide=True),
)
