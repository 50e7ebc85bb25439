"""Reconciling: what a role or a binding lacks, or has too much, against what a file says. Pure.

Rules are compared by what they permit, not by how they are written: one is covered when every single permission in it is.
upstream component-helpers auth/rbac/reconciliation, auth/rbac/validation
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from kube.api.meta import Tree

Permission = tuple[str, str, str, str]  # verb, group, resource, name; or verb and path alone

RULE = {  # title: field
    "Verbs": "verbs", "APIGroups": "apiGroups", "Resources": "resources", "ResourceNames": "resourceNames",
    "NonResourceURLs": "nonResourceURLs",
}  # fmt: skip
SUBJECT = {"Kind": "kind", "APIGroup": "apiGroup", "Name": "name", "Namespace": "namespace"}


@dataclass(frozen=True)
class Difference:
    """What is to be done to an object. `operation` is empty where it is as it should be."""

    operation: str  # create, update, recreate
    tree: Tree
    added: Sequence[Tree] = ()
    removed: Sequence[Tree] = ()


def difference(wanted: Tree, live: Tree | None, *, remove_extra: bool) -> Difference:
    """From the object of a file and the one on the server, if there is one."""
    field = "subjects" if wanted["kind"].endswith("Binding") else "rules"
    if live is None:
        return Difference("create", wanted, wanted.get(field) or ())
    if live.get("roleRef") != wanted.get("roleRef"):
        return Difference("recreate", wanted)
    has, should = live.get(field) or [], wanted.get(field) or []
    lacking = _lacking if field == "rules" else _absent
    added, extra = lacking(should, has), lacking(has, should)
    kept = [one for one in has if one not in extra] if remove_extra else list(has)
    made = {**live, "metadata": _metadata(wanted["metadata"], live["metadata"]), field: [*kept, *added]}
    if wanted.get("aggregationRule"):
        made["aggregationRule"] = wanted["aggregationRule"]
    operation = "update" if made != {**live, field: list(has)} else ""
    return Difference(operation, made, added, extra if remove_extra else ())


def shown(one: Tree) -> str:
    """A rule or a subject as upstream prints it."""
    if "verbs" in one:
        return "{" + " ".join(f"{title}:[{' '.join(one.get(name) or ())}]" for title, name in RULE.items()) + "}"
    return "{" + " ".join(f"{title}:{one.get(name, '')}" for title, name in SUBJECT.items()) + "}"


def _metadata(wanted: Tree, live: Tree) -> Tree:
    """The live metadata with the file's labels and annotations."""
    merged = {field: {**(live.get(field) or {}), **(wanted.get(field) or {})} for field in ("labels", "annotations")}
    return {**live, **{field: values for field, values in merged.items() if values}}


def _lacking(rules: Iterable[Tree], by: Sequence[Tree]) -> list[Tree]:
    """The rules that hold a permission which others do not give."""
    given = [one for rule in by for one in _permissions(rule)]
    return [rule for rule in rules if not all(any(_covers(one, asked) for one in given) for asked in _permissions(rule))]


def _absent(subjects: Iterable[Tree], among: Sequence[Tree]) -> list[Tree]:
    return [one for one in subjects if shown(one) not in {shown(other) for other in among}]


def _permissions(rule: Tree) -> Iterator[Permission]:
    verbs = rule.get("verbs") or ()
    yield from product(verbs, rule.get("apiGroups") or (), rule.get("resources") or (), rule.get("resourceNames") or ("",))
    yield from ((verb, "", path, "/") for verb, path in product(verbs, rule.get("nonResourceURLs") or ()))


def _covers(given: Permission, asked: Permission) -> bool:
    verb, group, resource, name = asked
    if given[0] not in ("*", verb):
        return False
    if "/" in (name, given[3]):  # paths
        pattern = given[2]
        return name == given[3] and (pattern == resource or (pattern.endswith("*") and resource.startswith(pattern[:-1])))
    below = resource.partition("/")[2]
    resources = ("*", resource, *([f"*/{below}"] if below else []))
    return given[1] in ("*", group) and given[2] in resources and given[3] in ("", name)
