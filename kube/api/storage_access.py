"""Access modes, claims' rules and defaults: what PersistentVolumes, claims and templates of claims share.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names, quantity
from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.validation import complain, selector_errors

SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
VOLUME_MODES = ("Block", "Filesystem")
MORE_THAN_ZERO = "must be greater than zero"


def short(modes: Iterable[str] | None) -> str:
    """`RWO,RWX`, in upstream's order and without repeats."""
    found = set(modes or ())
    return ",".join(name for mode, name in SHORT.items() if mode in found)


def set_claim_defaults(tree: Tree) -> None:
    """Of a PersistentVolumeClaim, or a template of one."""
    tree.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def access_mode_errors(modes: Iterable[str] | None, path: str, missing: str = "") -> Iterator[FieldError]:
    """`missing`: what is said where there are none."""
    if not modes:
        yield required(path, missing)
        return
    for mode in modes:
        if mode not in SHORT:
            yield unsupported(path, mode, sorted(SHORT))
    if "ReadWriteOncePod" in modes and any(mode in SHORT and mode != "ReadWriteOncePod" for mode in modes):
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def claim_spec_errors(spec: Any, path: str = "spec") -> Iterator[FieldError]:
    """Of a claim, or of a template of one."""
    if not spec.accessModes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from selector_errors(spec.selector, f"{path}.selector")
    if spec.accessModes:
        yield from access_mode_errors(spec.accessModes, f"{path}.accessModes")
    amount = ((spec.resources.requests if spec.resources else None) or {}).get("storage")
    if amount is None:
        yield required(f"{path}.resources[storage]")
    elif quantity.parse(amount) <= 0:
        yield invalid(f"{path}.resources[storage]", amount, MORE_THAN_ZERO)
    if spec.storageClassName:
        yield from complain(f"{path}.storageClassName", spec.storageClassName, names.subdomain)
    if spec.volumeMode is not None and spec.volumeMode not in VOLUME_MODES:
        yield unsupported(f"{path}.volumeMode", spec.volumeMode, VOLUME_MODES)
    yield from _data_sources(spec, path)
    if spec.volumeAttributesClassName:
        yield from complain(f"{path}.volumeAttributesClassName", spec.volumeAttributesClassName, names.subdomain)


def _data_sources(spec: Any, path: str) -> Iterator[FieldError]:
    """What a new volume is filled with; the older of the two fields says the same as the newer, or less."""
    source, reference = spec.dataSource, spec.dataSourceRef
    for one, at in ((source, f"{path}.dataSource"), (reference, f"{path}.dataSourceRef")):
        if one is None:
            continue
        for field in ("name", "kind"):
            if not getattr(one, field):
                yield required(f"{at}.{field}")
        if not one.apiGroup and one.kind != "PersistentVolumeClaim":
            yield invalid(at, one.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
        elif one.apiGroup:
            yield from complain(f"{at}.apiGroup", one.apiGroup, names.subdomain)
    if reference is not None and reference.namespace:
        yield from complain(f"{path}.dataSourceRef.namespace", reference.namespace, names.label)
    if source is None or reference is None:
        return
    if reference.namespace:
        yield invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified")
    elif (source.apiGroup, source.kind, source.name) != (reference.apiGroup, reference.kind, reference.name):
        yield invalid(path, {}, "must match dataSourceRef")
