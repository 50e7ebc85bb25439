"""Manifests: the objects that -f, -R and -k name, from files, directories, URLs or standard input.

YAML (several documents) and JSON; a List is taken apart. Timestamps stay text, as JSON has them.
https://kubernetes.io/docs/concepts/workloads/management/
"""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
import yaml

from kube.api.meta import Tree
from kubectl.errors import CommandError

EXTENSIONS = (".json", ".yaml", ".yml")
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Manifest(NamedTuple):
    tree: Tree
    source: str  # the file or URL, STDIN for standard input; for messages


class Loader(yaml.CSafeLoader):
    """YAML as JSON sees it: what looks like a date is text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load(filenames: Sequence[str], *, recursive: bool = False, kustomize: str = "") -> list[Manifest]:
    """Every object named. Raises CommandError."""
    if kustomize:
        raise CommandError("kustomizations (-k) are not supported: build them first, and pass the result with -f -")
    return [manifest for name in filenames for source in _sources(name, recursive) for manifest in parse(_read(source), source)]


def parse(content: bytes, source: str) -> Iterator[Manifest]:
    """The objects in one text."""
    shown = "STDIN" if source == "-" else source
    for tree in _documents(content, shown):
        if tree is None:
            continue
        if not isinstance(tree, dict):
            raise CommandError(
                f'unable to decode "{shown}": json: cannot unmarshal {_kind_of(tree)} into Go value of type struct '
                '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
            )
        yield from _objects(tree, shown)


def _objects(tree: Tree, source: str) -> Iterator[Manifest]:
    if not tree.get("kind") or not tree.get("apiVersion"):
        missing = [name for name in ("apiVersion", "kind") if not tree.get(name)]
        told = ", ".join(f"{name} not set" for name in missing)
        raise (
            CommandError(f'error validating "{source}": error validating data: [{told}]')
            if len(missing) > 1
            else CommandError(
                f'error validating "{source}": error validating data: {told}; if you choose to ignore these errors, '
                "turn validation off with --validate=false"
            )
        )
    if tree["kind"].endswith("List") and isinstance(tree.get("items"), list):
        for item in tree["items"]:
            yield from _objects(item, source)
        return
    yield Manifest(tree, source)


def _documents(content: bytes, shown: str) -> Iterable[Any]:
    if content.lstrip()[:1] == b"{" and b"\n---" not in content:
        try:
            return [orjson.loads(content)]
        except orjson.JSONDecodeError:
            pass  # several JSON documents, or YAML in flow style
    try:
        return list(yaml.load_all(content, Loader=Loader))
    except yaml.YAMLError as error:
        raise CommandError(f"error parsing {shown}: error converting YAML to JSON: yaml: {_told(error)}") from error


def _told(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)


def _sources(name: str, recursive: bool) -> list[str]:
    """The files that a name stands for."""
    if name == "-" or _is_url(name):
        return [name]
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
            raise CommandError(f'Get "{source}": {error.reason}') from error
    with open(source, "rb") as file:
        return file.read()


def _is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def _kind_of(value: Any) -> str:
    return {str: "string", int: "number", float: "number", bool: "bool", list: "array"}.get(type(value), type(value).__name__)
