"""Manifests: the objects that -f, -R and -k name, from files, directories, URLs or standard input.

YAML (several documents) and JSON (see `decoding`); a List is taken apart.
https://kubernetes.io/docs/concepts/workloads/management/
"""

import glob
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from kube.api.meta import Tree
from kubectl.decoding import DecodeError, documents, ordered
from kubectl.errors import CommandError
from kubectl.transport import Unreachable

EXTENSIONS = (".json", ".yaml", ".yml")
WILD = re.compile(r"[*?\[]")  # a name with these is a pattern


class Manifest(NamedTuple):
    tree: Tree
    source: str  # the file or URL, STDIN for standard input; for messages


def load(filenames: Sequence[str], *, recursive: bool = False, kustomize: str = "", validated: bool = False) -> list[Manifest]:
    """Every object named. `validated`: what cannot be an object is refused in a validator's words. Raises CommandError."""
    if kustomize:
        from kubectl.kustomize.build import build

        if filenames:
            raise CommandError("only one of -f or -k can be specified")
        return [Manifest(ordered(tree), kustomize) for tree in build(kustomize)]
    sources = [source for name in filenames for source in _sources(name, recursive)]
    return [manifest for source in sources for manifest in parse(_read(source), source, validated=validated)]


def with_labels(manifests: Sequence[Manifest], selector: str) -> list[Manifest]:
    """Those that a selector takes; without one, all."""
    if not selector:
        return list(manifests)
    from kube.api.labels import parse as parse_selector

    wanted = parse_selector(selector)
    return [one for one in manifests if wanted.matches((one.tree.get("metadata") or {}).get("labels"))]


def parse(content: bytes, source: str, *, validated: bool = False) -> Iterator[Manifest]:
    """The objects in one text."""
    shown = "STDIN" if source == "-" else source
    try:
        trees = documents(content)
    except DecodeError as error:
        raise CommandError(f"error parsing {shown}: {error}") from error
    for tree in trees:
        if tree is not None:
            yield from _objects(ordered(tree), shown, validated)


def _objects(tree: Any, source: str, validated: bool) -> Iterator[Manifest]:
    if validated:
        _validate(tree, source)
    if not isinstance(tree, dict):
        told = f"json: cannot unmarshal {_kind_of(tree)} into Go value of type unstructured.detector"
        raise CommandError(f'unable to decode "{source}": {told}')
    if not tree.get("kind"):
        raise CommandError(f"unable to decode \"{source}\": Object 'Kind' is missing in '{orjson.dumps(tree).decode()}'")
    if tree["kind"].endswith("List") and isinstance(tree.get("items"), list):
        for item in tree["items"]:
            yield from _objects(item, source, validated)
        return
    yield Manifest({**tree, "metadata": tree.get("metadata") or {}}, source)


def _validate(tree: Any, source: str) -> None:
    """Raises CommandError for what is no object, or names no kind."""
    told = _problem(tree)
    if not told:
        return
    raise CommandError(
        f'error validating "{source}": error validating data: {told}; if you choose to ignore these errors, '
        "turn validation off with --validate=false"
    )


def _problem(tree: Any) -> str:
    """What a validator says before it looks for the kind's schema; empty: nothing."""
    if not isinstance(tree, dict):
        return "invalid object to validate"
    wrong = [
        f"{name} isn't string type" if tree.get(name) else f"{name} not set"
        for name in ("apiVersion", "kind")
        if not isinstance(tree.get(name), str) or not tree[name]
    ]
    if not wrong:
        return f"unexpected GroupVersion string: {tree['apiVersion']}" if tree["apiVersion"].count("/") > 1 else ""
    return wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"


def _sources(name: str, recursive: bool) -> list[str]:
    """The files that a name stands for."""
    if name == "-" or _is_url(name):
        return [name]
    matching = sorted(glob.glob(name)) if WILD.search(name) else []
    if matching:
        return [source for one in matching for source in _sources(one, recursive)]
    if not os.path.exists(name):
        raise CommandError(f'the path "{name}" does not exist')
    if not os.path.isdir(name):
        return [name]
    found = []
    for folder, folders, files in os.walk(name):
        folders[:] = sorted(folders) if recursive else []
        found += [os.path.join(folder, file) for file in sorted(files) if file.endswith(EXTENSIONS)]
    if not found:
        raise CommandError(f"error reading [{name}]: recognized file extensions are [.json .yaml .yml]")
    return found


def _read(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    if _is_url(source):
        try:
            with urllib.request.urlopen(source) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise CommandError(
                f'unable to read URL "{source}", server reported {error.code} {error.reason}, status code={error.code}'
            ) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                raise Unreachable(source, refused=True, server=source) from error
            raise CommandError(f'Get "{source}": {error.reason}') from error
    with open(source, "rb") as file:
        return file.read()


def _is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def _kind_of(value: Any) -> str:
    return {str: "string", int: "number", float: "number", bool: "bool", list: "array"}.get(type(value), type(value).__name__)
