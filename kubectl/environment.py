"""Environment variables of containers, as `set env` reads, lists and changes them.

kubernetes/kubectl pkg/cmd/set/set_env.go, pkg/cmd/set/env
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kube.api.meta import Tree
from kubectl.errors import CommandError

NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
Resolve = Callable[[str, str, str], str]  # (kind, name, key) -> value


@dataclass(frozen=True)
class Wanted:
    """Variables to set, whole (`{"name": ..., "value": ...}`), and names to remove."""

    set: list[Tree]
    remove: list[str]

    @property
    def empty(self) -> bool:
        return not (self.set or self.remove)


def parsed(words: Sequence[str], piped: Callable[[], str]) -> Wanted:
    """`NAME=VALUE`, `NAME-`, and `-` for lines on standard input. Raises CommandError."""
    wanted, unwanted = [], []
    for word in words:
        for text in piped().splitlines() if word == "-" else [word]:
            name, equals, value = text.partition("=")
            if not equals:
                unwanted.append(text.removesuffix("-"))
                continue
            if not NAME.fullmatch(name):
                raise CommandError(
                    f'"{name}" is not a valid key name: a valid environment variable name must consist of alphabetic characters, '
                    "digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or "
                    "'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
                )
            wanted.append({"name": name, "value": value})
    if {one["name"] for one in wanted} & set(unwanted):
        raise CommandError("can not both modify and remove the same environment variable in the same command")
    return Wanted(wanted, unwanted)


def from_object(source: Tree, keys: Sequence[str], prefix: str, warn: Callable[[str], None]) -> list[Tree]:
    """A variable for every key of a ConfigMap or Secret."""
    field = "configMapKeyRef" if source["kind"] == "ConfigMap" else "secretKeyRef"
    found = []
    for key in sorted(source.get("data") or {}):
        if keys and key not in keys:
            continue
        name = re.sub(r"[^A-Za-z0-9_]", "_", key).upper()
        if name != key:
            warn(f"Warning: key {key} transferred to {name}")
        found.append({"name": prefix + name, "valueFrom": {field: {"name": source["metadata"]["name"], "key": key}}})
    return found


def chosen(spec: Tree, pattern: str) -> list[Tree]:
    """The containers that a pattern names, those that run first among them."""
    found = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return [one for one in found if fnmatchcase(one["name"], pattern)]


def changed(container: Tree, wanted: Wanted, overwrite: bool, who: str) -> None:
    """Set and remove in place. Raises CommandError for a value that may not be overwritten."""
    have = {one["name"]: one for one in container.get("env") or ()}
    if not overwrite:
        for one in wanted.set:
            if have.get(one["name"], {}).get("value"):
                name, value = one["name"], have[one["name"]]["value"]
                raise CommandError(f"{who} '{name}' already has a value ({value}), and --overwrite is false")
    for one in wanted.set:
        have[one["name"]] = one
    left = [one for name, one in have.items() if name not in wanted.remove]
    if left:
        container["env"] = left
    else:
        container.pop("env", None)


def listed(kind: str, name: str, container: Tree, resolve: Resolve | None) -> Iterator[str]:
    """The lines of --list."""
    yield f"# {kind} {name}, container {container['name']}"
    for one in container.get("env") or ():
        source = one.get("valueFrom")
        if not source:
            yield f"{one['name']}={one.get('value', '')}"
            continue
        field, reference = next(iter(source.items()))
        if field in ("configMapKeyRef", "secretKeyRef"):
            what = "configmap" if field == "configMapKeyRef" else "secret"
            if resolve is not None:
                yield f"{one['name']}={resolve(what, reference['name'], reference['key'])}"
            else:
                yield f"# {one['name']} from {what} {reference['name']}, key {reference['key']}"
        elif field == "fieldRef":
            yield f"# {one['name']} from field path {reference['fieldPath']}"
        else:
            yield f"# {one['name']} from resource field {reference['resource']}"
