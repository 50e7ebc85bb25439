"""Slices: endpoints packed into EndpointSlices with as few writes as may be. Pure.

At most 100 endpoints a slice. An endpoint stays in the slice that it is in; new ones go first where something is written anyway,
then into the fullest slice that has room for all of them, then into new slices. A slice that is empty goes, but for the last.
Where one slice would be made and another deleted, the latter gets other ports and endpoints instead, so nobody sees both.
https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#distribution-of-endpointslices · reconciler.go
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from controller_manager.pod_endpoint import changed_labels
from kube.api.meta import Tree
from kube.api.types import EndpointSlice
from kube.api.views import tree_of

PER_SLICE = 100
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"

Endpoints = list[Tree]


@dataclass(frozen=True)
class Wanted:
    """Endpoints that share an address type and ports."""

    address_type: str
    ports: list[Tree]
    endpoints: Endpoints


@dataclass
class Changes:
    create: list[Tree] = field(default_factory=list)
    update: list[tuple[EndpointSlice, Tree]] = field(default_factory=list)  # merge patches
    delete: list[EndpointSlice] = field(default_factory=list)


@dataclass
class _Slot:
    """An existing slice on its way."""

    slice: EndpointSlice
    endpoints: Endpoints
    dirty: bool


def changes(existing: Iterable[EndpointSlice], wanted: Iterable[Wanted], metadata: Tree) -> Changes:
    """What to write so that the slices hold what is wanted. `metadata` is that of a new slice; its labels are kept on all."""
    by_group: dict[tuple[str, bytes], list[EndpointSlice]] = defaultdict(list)
    for one in existing:
        by_group[one.addressType, ports_key([tree_of(port) for port in one.ports or ()])].append(one)
    found = Changes()
    for group in wanted:
        _pack(group, by_group.pop((group.address_type, ports_key(group.ports)), []), metadata, found)
    found.delete += [one for slices in by_group.values() for one in slices]
    _reuse(found)
    return found


def _reuse(found: Changes) -> None:
    """Turn a creation and a deletion of one address type, which no slice can change, into an update."""
    for tree in [*found.create]:
        old = next((one for one in found.delete if one.addressType == tree["addressType"]), None)
        if old is not None:
            found.create.remove(tree)
            found.delete.remove(old)
            labels = changed_labels(old.metadata.labels, tree["metadata"]["labels"], ())
            guard = {"resourceVersion": old.metadata.resourceVersion, **({"labels": labels} if labels else {})}
            found.update.append((old, {"metadata": guard, "endpoints": tree["endpoints"], "ports": tree["ports"]}))


def _pack(group: Wanted, existing: list[EndpointSlice], metadata: Tree, found: Changes) -> None:
    left = {_identity(one): one for one in group.endpoints}
    slots = [_keep(one, left) for one in existing]
    if left and any(slot.dirty for slot in slots):
        for slot in sorted((slot for slot in slots if slot.dirty), key=lambda slot: -len(slot.endpoints)):
            _fill(slot, left)
    if left and len(left) < PER_SLICE:
        roomy = [slot for slot in slots if not slot.dirty and len(slot.endpoints) + len(left) <= PER_SLICE]
        if roomy:
            _fill(max(roomy, key=lambda slot: len(slot.endpoints)), left)
    rest = list(left.values())
    fresh = [rest[at : at + PER_SLICE] for at in range(0, len(rest), PER_SLICE)]
    if not fresh and not any(slot.endpoints for slot in slots):
        if not slots:
            fresh = [[]]
        else:
            found.delete += [slot.slice for slot in slots[1:]]
            slots = slots[:1]  # a placeholder, so that the service is known to have none
    elif any(not slot.endpoints for slot in slots):
        found.delete += [slot.slice for slot in slots if not slot.endpoints]
        slots = [slot for slot in slots if slot.endpoints]
    found.create += [
        {"metadata": metadata, "addressType": group.address_type, "endpoints": part, "ports": group.ports} for part in fresh
    ]
    for slot in slots:
        patch = _patch(slot, metadata)
        if patch:
            found.update.append((slot.slice, patch))


def _keep(one: EndpointSlice, left: dict[str, Tree]) -> _Slot:
    """What stays in a slice, in its newest form; taken out of `left`."""
    have = [tree_of(endpoint) for endpoint in one.endpoints or ()]
    kept = [left.pop(name) for name in map(_identity, have) if name in left]
    return _Slot(one, kept, dirty=kept != have)


def _fill(slot: _Slot, left: dict[str, Tree]) -> None:
    names = list(left)[: PER_SLICE - len(slot.endpoints)]
    slot.endpoints += [left.pop(name) for name in names]
    slot.dirty = slot.dirty or bool(names)


def _patch(slot: _Slot, metadata: Tree) -> Tree:
    patch: Tree = {}
    labels = changed_labels(slot.slice.metadata.labels, metadata["labels"], ())
    if labels:
        patch["metadata"] = {"labels": labels}
    if slot.dirty:
        patch["endpoints"] = slot.endpoints
    if patch:
        patch.setdefault("metadata", {})["resourceVersion"] = slot.slice.metadata.resourceVersion
    return patch


def _identity(endpoint: Tree) -> str:
    """What makes it the same endpoint: the pod, and where it has none, the address."""
    return str((endpoint.get("targetRef") or {}).get("uid") or endpoint["addresses"][0])


def ports_key(ports: Iterable[Tree]) -> bytes:
    """Ports as a set: their order tells nothing, and an absent name is an empty one."""
    named = [orjson.dumps({"name": "", **port}, option=orjson.OPT_SORT_KEYS) for port in ports]
    return b",".join(sorted(named))
