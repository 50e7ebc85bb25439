"""Managed fields and server-side apply: who set which field, and what becomes of an object when one of them changes its mind.

metadata.managedFields has one entry for each (manager, operation, subresource): the paths that it set last.

    track   after a PUT, PATCH or POST: what differs from before belongs to the writer, and to nobody else
    apply   the applied configuration is merged into the object. A field that another manager owns, and whose value would
            change, is a conflict; with force it changes hands. What the manager applied last time and no longer does is
            removed, unless somebody else owns it too.

Nobody owns what identifies an object (name, uid, times). An apply that changes nothing leaves everything as it is, times too.
Of more than ten writers' entries the oldest are folded into one, `ancient-changes`.
https://kubernetes.io/docs/reference/using-api/server-side-apply/ (KEP-555) · apimachinery pkg/util/managedfields/internal
"""

from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from kube.api.definitions import UNKNOWN, Type, of
from kube.api.meta import Tree
from kube.api.patch import last_applied, structured
from kube.api.patch.field_set import FieldSet, Path, field, parsed, shown
from kube.api.resource import Resource
from kube.api.status import Conflict

APPLY, UPDATE = "Apply", "Update"
BEFORE_FIRST_APPLY = "before-first-apply"
ANCIENT_CHANGES = "ancient-changes"
MAX_UPDATE_ENTRIES = 10

_METADATA = field("metadata")
_COMPLETE = frozenset(("manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1"))
_UNOWNED_METADATA = (
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
    "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip
_UNOWNED_METADATA_STEPS = tuple(map(field, _UNOWNED_METADATA))


class Owner(NamedTuple):
    """Whose entry it is. Appliers have one entry, whatever version they use."""

    manager: str
    operation: str
    api_version: str
    subresource: str

    def shown(self) -> str:
        text = f'"{self.manager}"' + (f' with subresource "{self.subresource}"' if self.subresource else "")
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


class _Entry(NamedTuple):
    owner: Owner
    fields: FieldSet
    time: str
    api_version: str
    tree: Tree | None = None  # as it stands in the object, while that says the same


Managers = dict[Owner, _Entry]


def track(
    new: Tree, old: Tree | None, resource: Resource, *, manager: str, subresource: str, now: str, empty: Tree = structured.NOTHING
) -> None:
    """Write into `new`, which replaces `old`, that `manager` set what differs. `empty`: what is in a new object anyway."""
    managers = _managers(new, old, resource, subresource)
    if not managers and (old is None or old["metadata"].get("uid")):
        new["metadata"].pop("managedFields", None)
        if old is None:
            _begin(new, resource, Owner(manager, UPDATE, resource.api_version, subresource), now, empty)
        return  # what has no history gets none before somebody applies
    besides = _unowned(resource, subresource)
    found = structured.compare(_kind(resource), _bare(empty if old is None else old, besides), _bare(new, besides))
    taken = found.added | found.modified
    fields = _owned(taken, resource, subresource)
    owner = Owner(manager, UPDATE, resource.api_version, subresource)
    if fields == taken and not found.removed and _is_only_owner(managers, owner, taken):
        have = managers[owner]
        managers[owner] = have._replace(time=now, tree={**have.tree, "time": now} if have.tree else None)
        _write(new, _capped(managers))
        return
    _give_up(managers, taken, found.removed)
    if fields:
        before = managers.get(owner)
        after = _Entry(owner, fields, now, resource.api_version)
        if before is not None:
            fields = fields | before.fields
            same = before.tree is not None and fields == before.fields
            tree = {**before.tree, "time": now} if same and before.tree else None
            after = after._replace(fields=fields, tree=tree)
        managers[owner] = after
    _write(new, _capped(managers))


def _begin(new: Tree, resource: Resource, owner: Owner, now: str, empty: Tree) -> None:
    """The history of a new object: all of it is its maker's."""
    kind, unowned = _kind(resource), _unowned(resource, owner.subresource)
    metadata = {name: value for name, value in new["metadata"].items() if name not in _UNOWNED_METADATA}
    rest = {name: value for name, value in new.items() if name != "metadata" and name not in unowned}
    fields = structured.fields_v1(kind, rest, empty)
    if metadata:
        fields[_METADATA] = structured.fields_v1(kind.field("metadata") or UNKNOWN, metadata)
        fields = {step: fields[step] for step in sorted(fields)}
    if fields:
        new["metadata"]["managedFields"] = [_shown(owner, resource.api_version, now, fields)]


def apply(
    live: Tree, applied: Tree, resource: Resource, *, manager: str, force: bool, subresource: str, now: str,
    empty: Tree = structured.NOTHING,
) -> Tree:  # fmt: skip
    """The object after `manager` applied its configuration. Raises Conflict. `live` is bare metadata for a new object."""
    kind = _kind(resource)
    managers = _managers(live, None, resource, subresource)
    before = _bare(live)
    if not managers and live["metadata"].get("creationTimestamp"):
        first = Owner(BEFORE_FIRST_APPLY, UPDATE, resource.api_version, "")
        found = structured.compare(kind, empty, before)
        if fields := _owned(found.added | found.modified, resource, ""):
            managers[first] = _Entry(first, fields, now, resource.api_version)
    wanted = _bare(applied)
    fields = structured.fields_of(kind, wanted)
    owner = Owner(manager, APPLY, "", subresource)
    last = managers.pop(owner, None)
    merged = structured.merge(kind, before, wanted)
    if last is not None:
        kept = fields
        for entry in managers.values():
            kept = kept | entry.fields
        merged = structured.remove(kind, merged, last.fields, kept)
    found = structured.compare(kind, before, merged)
    contested = found.added | found.modified
    if manager == last_applied.MANAGER and not force:
        contested = contested - last_applied.unchanged_since(kind, before, resource.api_version)
    conflicts = [(one.owner, path) for one in managers.values() for path in one.fields & contested]
    if conflicts and not force:
        raise _conflict(conflicts)
    _give_up(managers, found.added | found.modified, found.removed)
    own = _owned(fields, resource, subresource)
    unchanged = last is not None and not found
    if own:
        managers[owner] = _Entry(owner, own, last.time if last and unchanged else now, resource.api_version)
    merged["metadata"] = {**merged.get("metadata", {}), **_identity(live)}
    if manager == last_applied.MANAGER:
        last_applied.brought_up_to_date(merged, applied)
    _write(merged, _capped(managers))
    return merged  # type: ignore[no-any-return]


def _kind(resource: Resource) -> Type:
    return of(resource) or UNKNOWN


def _bare(tree: Tree, besides: tuple[str, ...] = ()) -> Tree:
    """Without the history itself, which nobody owns, and without some other fields."""
    if besides:
        tree = {name: value for name, value in tree.items() if name not in besides}
    metadata = tree.get("metadata")
    if not metadata or "managedFields" not in metadata:
        return tree
    return {**tree, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def _identity(live: Tree) -> Tree:
    """What an applied configuration cannot change."""
    return {name: value for name, value in live["metadata"].items() if name in _UNOWNED_METADATA and name != "managedFields"}


def _is_only_owner(managers: Managers, owner: Owner, taken: FieldSet) -> bool:
    """Whether all that is taken is this owner's already, and nobody else's: as of who writes the same fields again and again."""
    have = managers.get(owner)
    if have is None or not taken or not have.fields.covers(taken):
        return False
    return not any(one is not have and one.fields.overlaps(taken) for one in managers.values())


def _give_up(managers: Managers, taken: FieldSet, removed: FieldSet) -> None:
    """Nobody owns any longer what somebody else changed, or what is gone."""
    if not managers or not (taken or removed):
        return
    for owner, entry in list(managers.items()):
        if not entry.fields.overlaps(taken) and not entry.fields.overlaps(removed):
            continue
        rest = entry.fields - taken - removed
        if not rest:
            del managers[owner]
        else:
            managers[owner] = entry._replace(fields=rest, tree=None)


def _owned(fields: FieldSet, resource: Resource, subresource: str) -> FieldSet:
    """What can be owned through this endpoint: not identity, and status only through /status."""
    metadata = fields.at(_METADATA).without(*_UNOWNED_METADATA_STEPS)
    rest = fields.without(_METADATA, *map(field, _unowned(resource, subresource)))
    if metadata:
        rest.below[_METADATA] = metadata
    return rest


def _unowned(resource: Resource, subresource: str) -> tuple[str, ...]:
    """The fields beside metadata that this endpoint leaves to nobody."""
    if subresource == "status":
        return ("apiVersion", "kind", "spec")
    if "status" in resource.subresources:
        return ("apiVersion", "kind", "status")
    return ("apiVersion", "kind")


def _managers(new: Tree, old: Tree | None, resource: Resource, subresource: str) -> Managers:
    """Who owns what: as the request says it, where it does (`[{}]` and `[]` reset), else as it was."""
    given = new["metadata"].get("managedFields")
    if given in ([{}], []):
        return {}
    if not given or subresource or not all(map(_is_entry, given)):
        given = (old or new)["metadata"].get("managedFields")
    found: Managers = {}
    for entry in filter(_is_entry, given or ()):
        owner, fields, time, version, complete = _read(orjson.dumps(entry), resource.api_version)
        found[owner] = _Entry(owner, fields, time, version, entry if complete else None)
    return found


def _is_entry(entry: Tree) -> bool:
    return entry.get("fieldsType") == "FieldsV1" and entry.get("operation") in (APPLY, UPDATE) and bool(entry.get("apiVersion"))


@lru_cache(maxsize=512)  # objects are written again and again
def _read(data: bytes, api_version: str) -> tuple[Owner, FieldSet, str, str, bool]:
    """An entry: whose it is, what of, since when, of which version; and whether it says all that it can."""
    entry: Tree = orjson.loads(data)
    operation, version = entry.get("operation", UPDATE), entry.get("apiVersion", api_version)
    owner = Owner(entry.get("manager", ""), operation, "" if operation == APPLY else version, entry.get("subresource", ""))
    return owner, parsed(entry.get("fieldsV1") or {}), entry.get("time", ""), version, entry.keys() >= _COMPLETE


def _capped(managers: Managers) -> Managers:
    """Not more than ten Update entries."""
    if len(managers) <= MAX_UPDATE_ENTRIES:
        return managers
    updates = sorted((one for one in managers.values() if one.owner.operation == UPDATE), key=lambda one: one.time)
    for entry in updates[: max(0, len(updates) - MAX_UPDATE_ENTRIES + 1)] if len(updates) > MAX_UPDATE_ENTRIES else ():
        del managers[entry.owner]
        ancient = Owner(ANCIENT_CHANGES, UPDATE, entry.api_version, "")
        have = managers.get(ancient)
        fields = have.fields | entry.fields if have else entry.fields
        managers[ancient] = _Entry(ancient, fields, entry.time, entry.api_version)
    return managers


def _write(tree: Tree, managers: Managers) -> None:
    entries = [_tree(entry) for entry in managers.values()]
    if not entries:
        tree["metadata"].pop("managedFields", None)
        return
    tree["metadata"]["managedFields"] = sorted(
        entries, key=lambda one: (one["operation"], one["time"], one["manager"], one["apiVersion"])
    )


def _tree(entry: _Entry) -> Tree:
    return entry.tree or _shown(entry.owner, entry.api_version, entry.time, entry.fields.to_tree())


def _shown(owner: Owner, api_version: str, time: str, fields: Tree) -> Tree:
    tree: Tree = {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if owner.subresource:
        tree["subresource"] = owner.subresource
    return tree


def _conflict(conflicts: list[tuple[Owner, Path]]) -> Conflict:
    """In upstream's words (getConflictMessage)."""
    causes: list[Any] = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner.shown()}", "field": shown(path)}
        for owner, path in conflicts
    ]
    if len(conflicts) == 1:
        owner, path = conflicts[0]
        return Conflict(f"Apply failed with 1 conflict: conflict with {owner.shown()}: {shown(path)}", {"causes": causes})
    lines: list[str] = []
    for owner in sorted({owner for owner, _ in conflicts}):
        lines.append(f"conflicts with {owner.shown()}:")
        lines += [f"- {shown(path)}" for one, path in conflicts if one == owner]
    text = "\n".join(lines)
    return Conflict(f"Apply failed with {len(conflicts)} conflicts: {text}", {"causes": causes})
