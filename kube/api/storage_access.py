"""Access modes, claims' rules and defaults: what PersistentVolumes, claims and templates of claims share.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import quantity
from kube.api.meta import Tree
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.validation import selector_errors

SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
VOLUME_MODES = ("Block", "Filesystem")


def short(modes: Iterable[str] | None) -> str:
    """`RWO,RWX`, in upstream's order and without repeats."""
    found = set(modes or ())
    return ",".join(name for mode, name in SHORT.items() if mode in found)


def set_claim_defaults(tree: Tree) -> None:
    """Of a PersistentVolumeClaim, or a template of one."""
    tree.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def access_mode_errors(modes: Iterable[str] | None, path: str) -> Iterator[FieldError]:
    if not modes:
        yield required(path, "at least 1 access mode is required")
        return
    for mode in modes:
        if mode not in SHORT:
            yield unsupported(path, mode, sorted(SHORT))
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        text = "may not use ReadWriteOncePod with other access modes"
        yield FieldError(path, "FieldValueForbidden", f"Forbidden: {text}")


def storage_errors(amounts: dict[str, str] | None, path: str) -> Iterator[FieldError]:
    """The one amount that a volume has or a claim asks for."""
    amount = (amounts or {}).get("storage")
    if amount is None:
        yield required(path if path.endswith("capacity") else f"{path}[storage]")
    elif quantity.parse(amount) <= 0:
        yield invalid(f"{path}[storage]", amount, "must be greater than zero")


def claim_spec_errors(spec: Any, path: str = "spec") -> Iterator[FieldError]:
    yield from access_mode_errors(spec.accessModes, f"{path}.accessModes")
    yield from selector_errors(spec.selector, f"{path}.selector")
    yield from storage_errors(spec.resources.requests if spec.resources else None, f"{path}.resources")
    if spec.volumeMode not in VOLUME_MODES:
        yield unsupported(f"{path}.volumeMode", spec.volumeMode or "", VOLUME_MODES)
