"""Conditions of a CertificateSigningRequest: what was decided of it. Pure.

/approval may add whatever condition; /status any but Approved and Denied, and what is there of those stays; none of Approved,
Denied and Failed is ever taken back. Each has its times: of the last update, and of the change to the status that it has.
kubernetes pkg/registry/certificates/certificates/strategy.go, pkg/apis/certificates/validation/validation.go
"""

from collections.abc import Iterable, Iterator

from kube.api.meta import Tree
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, unsupported
from kube.api.types import CertificateSigningRequest

DECISIONS = ("Approved", "Denied")
LASTING = (*DECISIONS, "Failed")  # are always true
PATH = "status.conditions"


def of(tree: Tree) -> list[Tree]:
    return (tree.get("status") or {}).get("conditions") or []


def dated(conditions: Iterable[Tree], old: Iterable[Tree], now: str) -> list[Tree]:
    """The conditions with their times; a change of status is one of time."""
    since = {(one.get("type"), one.get("status")): one.get("lastTransitionTime") for one in old}
    made = []
    for one in conditions:
        changed = one.get("lastTransitionTime") or since.get((one.get("type"), one.get("status"))) or now
        made.append({**one, "lastUpdateTime": one.get("lastUpdateTime") or now, "lastTransitionTime": changed})
    return made


def prepare_status(new: Tree, old: Tree, now: str) -> None:
    """Of a write to /status: decisions stay as they are if they are named at all, and times are put in."""
    status = new.get("status")
    if not status or status.get("conditions") is None:
        return
    kept = {one["type"]: one for one in of(old) if one.get("type") in DECISIONS}
    status["conditions"] = dated([kept.get(one.get("type", ""), one) for one in status["conditions"]], of(old), now)


def approval_errors(new: CertificateSigningRequest, old: CertificateSigningRequest) -> Iterator[FieldError]:
    yield from _condition_errors(new)
    for kind in LASTING:
        if _count(new, kind) < _count(old, kind):
            yield forbidden(PATH, f'updates may not remove a condition of type "{kind}"')


def status_errors(new: CertificateSigningRequest, old: CertificateSigningRequest) -> Iterator[FieldError]:
    yield from approval_errors(new, old)
    for kind in DECISIONS:
        if _count(new, kind) > _count(old, kind):
            yield forbidden(PATH, f'updates may not add a condition of type "{kind}"')


def _condition_errors(request: CertificateSigningRequest) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, one in enumerate(request.status.conditions or ()):
        path, allowed = f"{PATH}[{index}]", ("True",) if one.type in LASTING else ("True", "False", "Unknown")
        if not one.type:
            yield required(f"{path}.type")
        if not one.status:
            yield required(f"{path}.status")
        elif one.status not in allowed:
            yield unsupported(f"{path}.status", one.status, allowed)
        if one.type in seen:
            yield duplicate(f"{path}.type", one.type)
        seen.add(one.type)
        if one.type in DECISIONS and seen.issuperset(DECISIONS):
            yield invalid(f"{path}.type", one.type, "Approved and Denied conditions are mutually exclusive")


def _count(request: CertificateSigningRequest, kind: str) -> int:
    return sum(one.type == kind for one in request.status.conditions or ())
