"""Conditions: which names a definition gets, and what its status says of that. Pure.

Names are taken within a group: plural, singular and short names among each other, kind and list kind among each other. Who has a
name keeps it; who asks for a taken one keeps what it had. With all names accepted once, a definition is Established for ever.
https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/#CustomResourceDefinitionStatus
apiextensions-apiserver pkg/controller/status/naming_controller.go, pkg/controller/establish, pkg/controller/apiapproval
"""

from collections.abc import Iterable

import orjson

from kube.api.apiextensions.definition_rules import approval_of, is_protected
from kube.api.meta import Tree

NAMES_ACCEPTED, ESTABLISHED, TERMINATING = "NamesAccepted", "Established", "Terminating"
APPROVED = "KubernetesAPIApprovalPolicyConformant"
FIELDS = (
    ("plural", "PluralConflict"),
    ("singular", "SingularConflict"),
    ("shortNames", "ShortNamesConflict"),
    ("kind", "KindConflict"),
    ("listKind", "ListKindConflict"),
)


def condition(definition: Tree, name: str) -> Tree | None:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == name), None)


def is_true(definition: Tree, name: str) -> bool:
    found = condition(definition, name)
    return found is not None and found.get("status") == "True"


def set_condition(definition: Tree, name: str, status: str, reason: str, message: str, now: str) -> None:
    """Write a condition; its time changes only with its status."""
    conditions = definition.setdefault("status", {}).setdefault("conditions", None) or []
    definition["status"]["conditions"] = conditions
    found = condition(definition, name)
    since = (found.get("lastTransitionTime") if found is not None and found.get("status") == status else None) or now
    told = {"type": name, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    if found is None:
        conditions.append(told)
    else:
        found.clear()
        found.update(told)


def named(definition: Tree, others: Iterable[Tree], now: str) -> None:
    """Accept what names can be accepted beside those of the other definitions of the group; Established once all are."""
    resources, kinds = _taken(others)
    wanted = definition["spec"]["names"]
    accepted = definition.setdefault("status", {}).setdefault("acceptedNames", {"plural": "", "kind": ""})
    conflict: tuple[str, str] | None = None
    for field, reason in FIELDS:
        taken, known = kinds if field in ("kind", "listKind") else resources, _listed(accepted.get(field))
        clashes = [name for name in _listed(wanted.get(field)) if name not in known and name in taken]
        if clashes:
            conflict = (reason, _in_use(clashes))
        else:
            _put(accepted, field, wanted.get(field))
    _put(accepted, "categories", wanted.get("categories"))
    if conflict is not None:
        set_condition(definition, NAMES_ACCEPTED, "False", *conflict, now)
        if condition(definition, ESTABLISHED) is None:
            set_condition(definition, ESTABLISHED, "False", "NotAccepted", "not all names are accepted", now)
        return
    set_condition(definition, NAMES_ACCEPTED, "True", "NoConflicts", "no conflicts found", now)
    if not is_true(definition, ESTABLISHED) and not definition["metadata"].get("deletionTimestamp"):
        set_condition(definition, ESTABLISHED, "True", "InitialNamesAccepted", "the initial names have been accepted", now)


def approved(definition: Tree, now: str) -> None:
    """Whether a definition in one of Kubernetes' own groups went through its review."""
    if not is_protected(definition["spec"]["group"]):
        return
    set_condition(definition, APPROVED, *approval_of(definition["metadata"].get("annotations") or {}), now)


def _taken(others: Iterable[Tree]) -> tuple[set[str], set[str]]:
    resources: set[str] = set()
    kinds: set[str] = set()
    for one in others:
        accepted = (one.get("status") or {}).get("acceptedNames") or {}
        resources.update(filter(None, (accepted.get("plural"), accepted.get("singular"), *(accepted.get("shortNames") or ()))))
        kinds.update(filter(None, (accepted.get("kind"), accepted.get("listKind"))))
    return resources, kinds


def _put(accepted: Tree, field: str, value: object) -> None:
    if value:
        accepted[field] = value
    elif field in ("plural", "kind"):
        accepted[field] = ""
    else:
        accepted.pop(field, None)


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []


def _in_use(names: list[str]) -> str:
    texts = [f"{orjson.dumps(name).decode()} is already in use" for name in names]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
