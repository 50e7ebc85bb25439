"""Strategic merge patch: a merge patch that knows which lists are merged by key, and what patches may say beside the fields.

    $patch: delete | replace                  of an object or an item of a list
    $deleteFromPrimitiveList/<list>           values to remove from a list of scalars
    $setElementOrder/<list>                   the order of the items, those only the server has find their place among them
    $retainKeys                               every other field of the object goes (unions, as the Deployment's strategy)

Keys and strategies are those of the schema; a list without a strategy is replaced.
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from collections.abc import Callable
from typing import Any

import orjson

from kube.api.definitions import UNKNOWN, Type, of
from kube.api.go_json import shown, type_of
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import BadRequest

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
ORDER = "$setElementOrder/"


def apply(tree: Tree, patch: Tree, resource: Resource) -> Tree:
    """The patched tree. Raises BadRequest for a patch that cannot be understood."""
    return _merged(tree, patch, of(resource) or UNKNOWN)


def diff(original: Tree, modified: Tree, resource: Resource) -> Tree:
    """The patch that makes `modified` of `original`."""
    return _patch(original, modified, original, of(resource) or UNKNOWN)


def three_way(original: Tree, modified: Tree, current: Tree, resource: Resource) -> Tree:
    """`kubectl apply`: what makes `modified` true in `current`, and removes what `original` (applied last) alone had."""
    return _patch(original, modified, current, of(resource) or UNKNOWN)


def _merged(tree: Tree, patch: Tree, kind: Type) -> Tree:
    directive = patch.get(DIRECTIVE)
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != DIRECTIVE}
    if directive == "delete":
        return {}
    if directive is not None:
        raise BadRequest(f"unknown patch type: {shown(directive)} in map: {shown(patch)}")
    _check_orders(patch, kind)
    result = _retained(tree, patch)
    for name, values in patch.items():
        if name.startswith(DELETE_FROM):
            field = name.removeprefix(DELETE_FROM)
            if isinstance(result.get(field), list):
                result[field] = [one for one in result[field] if one not in values]
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _field(result.get(name), value, _type_of(kind, name), patch.get(ORDER + name))
    for name in patch:
        field = name.removeprefix(ORDER)
        if name.startswith(ORDER) and field not in patch and isinstance(result.get(field), list):
            identity = _identity(_type_of(kind, field))
            result[field] = _ordered(result[field], result[field], [identity(one) for one in patch[name]], identity)
    return result


def _check_orders(patch: Tree, kind: Type) -> None:
    """The items of a list must be among those of its order, and in that order."""
    for name, order in patch.items():
        if not name.startswith(ORDER):
            continue
        field = name.removeprefix(ORDER)
        items, key = patch.get(field) or [], _type_of(kind, field).merge_key
        for one in (order, items):
            if not isinstance(one, list):
                raise BadRequest(f"expected a []interface {{}}, but received a {type_of(one)}")
        for one in order if key else ():
            if not isinstance(one, dict) or key not in one:
                raise BadRequest(f"map: {shown(one)} does not contain declared merge key: {key}")
        identity = _identity(_type_of(kind, field))
        rest = iter([identity(one) for one in order])
        kept = [one for one in items if not (isinstance(one, dict) and DIRECTIVE in one)]
        if order and any(identity(one) not in rest for one in kept):
            raise BadRequest(
                f"The order in patch list:\n{shown(items)}\n doesn't match {ORDER.removesuffix('/')} list:\n{shown(order)}\n"
            )


def _field(have: Any, value: Any, kind: Type, order: list[Any] | None) -> Any:
    if isinstance(value, dict):
        if not isinstance(have, dict) or "replace" in kind.patch_strategy:
            have = {}
        return _merged(have, value, kind)
    if not isinstance(value, list) or "merge" not in kind.patch_strategy:
        return value
    before = have if isinstance(have, list) else []
    merged = _merged_items(before, value, kind) if kind.merge_key else before + [one for one in value if one not in before]
    identity = _identity(kind)
    given = [identity(one) for one in value if not isinstance(one, dict) or DIRECTIVE not in one]
    return _ordered(merged, before, [identity(one) for one in order] if order else given, identity)


def _merged_items(have: list[Any], patch: list[Any], kind: Type) -> list[Any]:
    key = kind.merge_key
    for item in patch:
        if not isinstance(item, dict) or (key not in item and item.get(DIRECTIVE) != "replace"):
            raise BadRequest(f"map: {shown(item)} does not contain declared merge key: {key}")
        directive = item.get(DIRECTIVE)
        if directive == "merge":
            raise BadRequest("merging lists cannot yet be specified in the patch")
        if directive not in (None, "replace", "delete"):
            raise BadRequest(f"unknown patch type: {shown(directive)} in map: {shown(item)}")
    if any(item.get(DIRECTIVE) == "replace" for item in patch):
        return [_merged({}, item, kind.item) for item in patch if item.get(DIRECTIVE) != "replace"]
    gone = [item[key] for item in patch if item.get(DIRECTIVE) == "delete"]
    result = [item for item in have if not isinstance(item, dict) or item.get(key) not in gone]
    for item in patch:
        if item.get(DIRECTIVE) == "delete":
            continue
        at = next((i for i, one in enumerate(result) if isinstance(one, dict) and one.get(key) == item[key]), None)
        if at is None:
            result.append(_merged({}, item, kind.item))
        else:
            result[at] = _merged(result[at], item, kind.item)
    return result


def _ordered(items: list[Any], server: list[Any], wanted: list[Any], identity: Callable[[Any], Any]) -> list[Any]:
    """Items in the order `wanted` (of identities: the patch's own without an order in it); what the server alone has keeps its
    place among its neighbours there, and what it has not comes first."""
    had = [identity(one) for one in server]
    mine = sorted((one for one in items if identity(one) in wanted), key=lambda one: wanted.index(identity(one)))
    others = [one for one in items if identity(one) not in wanted]
    result: list[Any] = []
    while others and mine:
        left, right = identity(others[0]), identity(mine[0])
        first = left in had and right in had and had.index(left) < had.index(right)
        result.append((others if first else mine).pop(0))
    return result + mine + others


def _identity(kind: Type) -> Callable[[Any], Any]:
    key = kind.merge_key
    return (lambda item: item.get(key) if isinstance(item, dict) else item) if key else (lambda item: item)


def _retained(tree: Tree, patch: Tree) -> Tree:
    keep = patch.get(RETAIN)
    if keep is None:
        return dict(tree)
    named = [name for name, value in patch.items() if value is not None and not name.startswith("$")]
    if not isinstance(keep, list) or any(name not in keep for name in named):
        raise BadRequest("invalid patch format of retainKeys")
    return {name: value for name, value in tree.items() if name in keep}


def _type_of(kind: Type, name: str) -> Type:
    return kind.field(name) or UNKNOWN


def _patch(original: Tree, modified: Tree, current: Tree, kind: Type) -> Tree:
    """One patch from three objects: additions and changes against `current`, removals of what `original` had."""
    patch: Tree = {name: None for name in original if name not in modified and name in current}
    for name, value in modified.items():
        have, before = current.get(name), original.get(name)
        if value is None:
            if name in current:
                patch[name] = None
        elif name not in current:
            patch[name] = value
        elif not _same(value, have):
            patch |= _changed(name, before, value, have, _type_of(kind, name))
    return patch


def _changed(name: str, before: Any, value: Any, have: Any, kind: Type) -> Tree:
    """The part of a patch that is about one field, which differs."""
    if isinstance(value, dict) and isinstance(have, dict) and "replace" not in kind.patch_strategy:
        inner = _patch(before if isinstance(before, dict) else {}, value, have, kind)
        if inner and "retainKeys" in kind.patch_strategy:
            inner[RETAIN] = sorted(value)
        return {name: inner} if inner else {}
    if not (isinstance(value, list) and isinstance(have, list)) or "merge" not in kind.patch_strategy:
        return {name: value}
    old = before if isinstance(before, list) else []
    return _changed_items(name, old, value, have, kind) if kind.merge_key else _changed_values(name, old, value, have)


def _changed_values(name: str, before: list[Any], value: list[Any], have: list[Any]) -> Tree:
    """Of a list of scalars."""
    added = [one for one in value if one not in have]
    gone = [one for one in before if one not in value and one in have]
    if not added and not gone and [one for one in have if one in value] == value:
        return {}
    patch: Tree = {ORDER + name: value}
    if added:
        patch[name] = added
    if gone:
        patch[DELETE_FROM + name] = gone
    return patch


def _changed_items(name: str, before: list[Any], value: list[Any], have: list[Any], kind: Type) -> Tree:
    """Of a list of objects with keys."""
    key = kind.merge_key
    if any(not isinstance(item, dict) or key not in item for item in [*value, *have]):
        return {name: value}
    had, was = {_hashable(item[key]): item for item in have}, {_hashable(item.get(key)): item for item in before}
    items: list[Tree] = []
    for item in value:
        identity = _hashable(item[key])
        if identity not in had:
            items.append(item)
            continue
        inner = _patch(was.get(identity, {}), item, had[identity], kind.item)
        if inner:
            items.append({key: item[key], **inner})
    wanted = [_hashable(item[key]) for item in value]
    items += [{DIRECTIVE: "delete", key: was[one][key]} for one in was if one not in wanted and one in had]
    if not items and [one for one in had if one in wanted] == wanted:
        return {}
    patch: Tree = {ORDER + name: [{key: item[key]} for item in value]}
    if items:
        patch[name] = items
    return patch


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON, where 1 is not true."""
    return bool(one == other) and orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


def _hashable(key: Any) -> Any:
    return key if isinstance(key, str | int) else orjson.dumps(key)
