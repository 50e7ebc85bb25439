"""Generators: ConfigMaps and Secrets from literals, files and env files, and the hash that their names end with."""

import base64
from collections.abc import Mapping
from typing import Any

from kube.api.meta import Tree
from kubectl.creating.hashing import content_hash
from kubectl.errors import CommandError
from kubectl.kustomize.resource import Res


def data_of(given: Tree, read: Any) -> dict[str, bytes]:
    """Names and contents. `read` gives the bytes of a file. Raises CommandError."""
    data: dict[str, bytes] = {}
    literals = given.get("literals") or ()
    envs = [*(given.get("envs") or ()), *([given["env"]] if given.get("env") else ())]
    for path in envs:
        for line in read(path).decode().splitlines():
            stripped = line.lstrip()
            if stripped and not stripped.startswith("#"):
                name, _, value = stripped.partition("=")
                _put(data, name, value.encode())
    for text in given.get("files") or ():
        name, equals, path = text.partition("=")
        _put(data, name if equals else text.rpartition("/")[2], read(path if equals else text))
    for text in literals:
        name, equals, value = text.partition("=")
        if not equals:
            told = f"invalid literal source {text}, expected key=value"
            raise CommandError(f"loading KV pairs: literal sources [{' '.join(literals)}]: {told}")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        _put(data, name, value.encode())
    return data


def _put(data: dict[str, bytes], name: str, content: bytes) -> None:
    if name in data:
        raise CommandError(f"cannot add key {name}, another key by that name already exists")
    data[name] = content


def generated(kind: str, given: Tree, data: Mapping[str, bytes], general: Tree) -> Res:
    """The object. `general`: generatorOptions, which the generator's own `options` add to."""
    own = given.get("options") or {}
    tree: Tree = {"apiVersion": "v1", "kind": kind, "metadata": {"name": given.get("name", "")}}
    if given.get("namespace"):
        tree["metadata"]["namespace"] = given["namespace"]
    for field in ("labels", "annotations"):
        both = {**(general.get(field) or {}), **(own.get(field) or {})}
        if both:
            tree["metadata"][field] = both
    if kind == "Secret":
        tree["type"] = given.get("type") or "Opaque"
        tree["data"] = {name: base64.b64encode(content).decode() for name, content in data.items()}
    else:
        for name, content in data.items():
            field, value = _as_text(content)
            tree.setdefault(field, {})[name] = value
    if own.get("immutable") or general.get("immutable"):
        tree["immutable"] = True
    hashed = not (own.get("disableNameSuffixHash") or general.get("disableNameSuffixHash"))
    return Res(tree, hashed=hashed)


def _as_text(content: bytes) -> tuple[str, str]:
    try:
        return "data", content.decode()
    except UnicodeDecodeError:
        return "binaryData", base64.b64encode(content).decode()


def absorbed(found: list[Res], made: Res, behavior: str) -> None:
    """Add it, or merge it into or put it in place of the one that has its name. Raises CommandError."""
    had = [one for one in found if one.kind == made.kind and made.name in one.names and _same_place(one, made)]
    if behavior in ("", "create", "unspecified"):
        if had:
            raise CommandError(f"may not add resource with an already registered id: {made.kind}.v1.[noGrp]/{made.name}.[noNs]")
        found.append(made)
        return
    if behavior not in ("merge", "replace"):
        raise CommandError(f"behavior must be one of create, merge or replace, not {behavior}")
    if len(had) != 1:
        raise CommandError(f"id matches {len(had)} resources: {made.kind}.v1.[noGrp]/{made.name}.[noNs]")
    old = had[0]
    for field in ("data", "binaryData"):
        joined = {**(old.tree.get(field) or {}), **(made.tree.get(field) or {})} if behavior == "merge" else made.tree.get(field)
        old.tree.pop(field, None)
        if joined:
            old.tree[field] = joined
    for field in ("labels", "annotations"):
        joined = {**(old.metadata.get(field) or {}), **(made.metadata.get(field) or {})}
        if joined:
            old.metadata[field] = joined
    if made.tree.get("immutable"):
        old.tree["immutable"] = True
    old.hashed = old.hashed and made.hashed


def _same_place(one: Res, made: Res) -> bool:
    return not made.namespace or made.namespace in (one.namespace, *(space for _, space in one.had))


def add_hashes(found: list[Res]) -> None:
    for one in found:
        if one.hashed:
            one.remember()
            one.metadata["name"] = f"{one.name}-{content_hash(one.tree, '', empty='')}"
