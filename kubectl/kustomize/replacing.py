"""Replacements: a value of one object, or a part of it, written into fields of others.

A field path is divided by dots; `[name=x]` is the item of a list with that field, `*` every item, a number one of them.
https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/replacements/
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kube.api.meta import Tree
from kubectl.errors import CommandError
from kubectl.kustomize.patching import selected
from kubectl.kustomize.resource import Res

STEP = re.compile(r"\[[^\]]*\]|(?:\\.|[^.\[])+")


def replace(found: Sequence[Res], given: Tree) -> None:
    """One replacement. Raises CommandError where its source or a target's field is not there."""
    source = given.get("source") or {}
    value = _part(_source(found, source), source.get("options") or {}) if source else given.get("sourceValue")
    for target in given.get("targets") or ():
        rejected = [one for reject in target.get("reject") or () for one in selected(found, _exactly(reject))]
        for one in selected(found, _exactly(target.get("select") or {})):
            if one in rejected:
                continue
            for path in target.get("fieldPaths") or ("metadata.name",):
                _write(one, path, value, target.get("options") or {})


def _exactly(target: Tree) -> Tree:
    """A selector of a replacement is no regular expression."""
    return {field: re.escape(str(text)) for field, text in target.items() if text}


def _source(found: Sequence[Res], source: Tree) -> Any:
    chosen = selected(found, _exactly({name: source.get(name) for name in ("group", "version", "kind", "name", "namespace")}))
    if len(chosen) != 1:
        told = "nothing selected by" if not chosen else "multiple matches for selector"
        raise CommandError(f"{told} {source.get('kind', '')}.{source.get('name', '')}")
    path = str(source.get("fieldPath") or "metadata.name")
    places = list(_places(chosen[0].tree, steps(path), create=False))
    if not places:
        raise CommandError(f"fieldPath `{path}` is missing for replacement source {chosen[0].kind}/{chosen[0].name}")
    parent, step = places[0]
    return parent[step]


def _part(value: Any, options: Tree) -> Any:
    if not options.get("delimiter"):
        return value
    parts = str(value).split(str(options["delimiter"]))
    at = int(options.get("index", 0))
    if not 0 <= at < len(parts):
        raise CommandError(f"options.index {at} is out of bounds for value {value}")
    return parts[at]


def _write(one: Res, path: str, value: Any, options: Tree) -> None:
    places = list(_places(one.tree, steps(path), create=bool(options.get("create"))))
    if not places:
        raise CommandError(f"unable to find field {path!r} in replacement target".replace("'", '"'))
    if path == "metadata.name":
        one.remember()
    for parent, step in places:
        parent[step] = _joined(parent[step], value, options) if options.get("delimiter") else value


def _joined(have: Any, value: Any, options: Tree) -> str:
    delimiter = str(options["delimiter"])
    parts, at = str(have or "").split(delimiter), int(options.get("index", 0))
    if at < 0:
        parts.insert(0, str(value))
    elif at >= len(parts):
        parts.append(str(value))
    else:
        parts[at] = str(value)
    return delimiter.join(parts)


def steps(path: str) -> list[str]:
    """`spec.containers.[name=web].image` → its steps; a dot after a backslash belongs to the name."""
    return [step.replace("\\.", ".") for step in STEP.findall(path)]


def _places(tree: Any, path: Sequence[str], *, create: bool) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value that the path leads to."""
    step, rest = path[0], path[1:]
    for key in _keys(tree, step, create):
        if not rest:
            yield tree, key
        else:
            if create and isinstance(tree, dict) and tree.get(key) is None:
                tree[key] = {}
            yield from _places(tree[key], rest, create=create)


def _keys(tree: Any, step: str, create: bool) -> list[Any]:
    if isinstance(tree, list):
        if step == "*":
            return list(range(len(tree)))
        if step.startswith("["):
            name, _, text = step[1:-1].partition("=")
            return [at for at, item in enumerate(tree) if isinstance(item, dict) and str(item.get(name)) == text]
        return [int(step)] if step.isdecimal() and int(step) < len(tree) else []
    if not isinstance(tree, dict):
        return []
    if create:
        tree.setdefault(step, None)
    return [step] if step in tree else []
