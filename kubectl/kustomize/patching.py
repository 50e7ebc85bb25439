"""Patching: strategic merge patches and JSON patches on the objects that a patch names or its target selects.

A list merged by key begins with the patch's items in their order; what the patch does not name follows (unlike the server's merge).
Kinds that are not built in have no keys: their lists are replaced.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from kube.api.definitions import UNKNOWN, Type, of_kind
from kube.api.labels import parse
from kube.api.meta import Tree
from kube.api.patch import json_patch
from kube.api.status import ApiError
from kubectl.errors import CommandError
from kubectl.kustomize.resource import Res

DIRECTIVE = "$patch"


def selected(found: Sequence[Res], target: Tree) -> list[Res]:
    """The objects that a target takes: each field it has is a whole regular expression; selectors are as everywhere."""
    labels = parse(str(target.get("labelSelector", "")))
    annotations = parse(str(target.get("annotationSelector", "")))
    chosen = []
    for one in found:
        places = [(one.name, one.namespace), *one.had]
        fits = (
            _fits(target.get("group"), one.group)
            and _fits(target.get("version"), one.version)
            and _fits(target.get("kind"), one.kind)
            and any(
                _fits(target.get("name"), name) and _fits(target.get("namespace"), namespace or "default")
                for name, namespace in places
            )
        )
        if fits and labels.matches(one.metadata.get("labels")) and annotations.matches(one.metadata.get("annotations")):
            chosen.append(one)
    return chosen


def _fits(pattern: Any, text: str) -> bool:
    return not pattern or re.fullmatch(str(pattern), text) is not None


def named(found: Sequence[Res], patch: Tree) -> list[Res]:
    """The one object that a strategic patch is for. Raises CommandError."""
    wanted = Res(patch)
    fitting = [
        one
        for one in found
        if (one.group, one.kind) == (wanted.group, wanted.kind)
        and any(
            wanted.name == name and (not wanted.namespace or wanted.namespace == (space or "default"))
            for name, space in [(one.name, one.namespace), *one.had]
        )
    ]
    if not fitting:
        place = f"{wanted.kind}.{wanted.version}.{wanted.group or '[noGrp]'}/{wanted.name}.{wanted.namespace or '[noNs]'}"
        raise CommandError(
            f'no resource matches strategic merge patch "{place}": no matches for Id {place}; failed to find unique target for '
            f"patch {place}"
        )
    return fitting


def merge_into(found: list[Res], chosen: Sequence[Res], patch: Tree, options: Tree) -> None:
    """A strategic merge patch; an object that it deletes is taken out. Kind and name stay unless `options` let them change."""
    for one in chosen:
        if patch.get(DIRECTIVE) == "delete":
            found.remove(one)
            continue
        kept = {field: one.tree.get(field) for field in ("apiVersion", "kind")}
        name, namespace = one.metadata.get("name"), one.metadata.get("namespace")
        one.tree = _merged(one.tree, patch, of_kind(one.group, one.version, one.kind) or UNKNOWN)
        new_name = one.metadata.get("name")
        if not options.get("allowKindChange"):
            one.tree.update(kept)
        one.metadata["name"] = name
        if options.get("allowNameChange") and new_name != name:
            one.remember()
            one.metadata["name"] = new_name
        if namespace is None:
            one.metadata.pop("namespace", None)
        else:
            one.metadata["namespace"] = namespace


def operate_on(chosen: Sequence[Res], operations: list[Any]) -> None:
    """A JSON patch. Raises CommandError where it does not fit."""
    for one in chosen:
        had = (one.name, one.namespace)
        try:
            one.tree = json_patch.apply(deepcopy(one.tree), operations)
        except ApiError as error:
            raise CommandError(error.message) from error
        if (one.name, one.namespace) != had:
            one.had.append(had)


def _merged(tree: Any, patch: Any, kind: Type) -> Any:
    if not isinstance(patch, dict):
        return deepcopy(patch)
    if not isinstance(tree, dict) or patch.get(DIRECTIVE) == "replace":
        tree = {}
    made = dict(tree)
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        inner = kind.field(name) or UNKNOWN
        if value is None:
            made.pop(name, None)
        elif isinstance(value, list):
            made[name] = _merged_list(made.get(name), value, inner)
        elif isinstance(value, dict) and value.get(DIRECTIVE) == "delete":
            made.pop(name, None)
        else:
            made[name] = _merged(made.get(name), value, inner)
    if isinstance(patch.get("$retainKeys"), list):
        made = {name: value for name, value in made.items() if name in patch["$retainKeys"]}
    return made


def _merged_list(have: Any, patch: list[Any], kind: Type) -> list[Any]:
    """By key, or replaced where the list has none."""
    items = have if isinstance(have, list) else []
    key = kind.merge_key
    if any(isinstance(one, dict) and one.get(DIRECTIVE) == "replace" for one in patch):
        return [deepcopy(one) for one in patch if not (isinstance(one, dict) and one.get(DIRECTIVE) == "replace" and len(one) == 1)]
    if "merge" not in kind.patch_strategy:
        return deepcopy(patch)
    if not key:
        return [*deepcopy(patch), *(one for one in items if one not in patch)]
    made, met = [], set()
    for one in patch:
        identity = one.get(key)
        met.add(identity)
        if one.get(DIRECTIVE) == "delete":
            continue
        old: Tree = next((item for item in items if item.get(key) == identity), {})
        made.append(_merged(old, one, kind.item))
    return [*made, *(item for item in items if item.get(key) not in met)]
