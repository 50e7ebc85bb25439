"""Kubeconfig files as things to change: which file holds an entry, and the entry within it.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kube.api.go_yaml import as_yaml
from kube.api.meta import Tree
from kube.client.kubeconfig import paths, read
from kubectl.errors import CommandError
from kubectl.session import Session

ENTRIES = {"clusters": "cluster", "contexts": "context", "users": "user"}
TEXTS = ("current-context", "kind", "apiVersion")
FIELDS = {
    "clusters": (
        "server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data", "proxy-url",
        "disable-compression",
    ),
    "users": (
        "client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile", "as", "as-uid",
        "as-groups", "as-user-extra", "username", "password", "auth-provider", "exec",
    ),
    "contexts": ("cluster", "user", "namespace"),
}  # fmt: skip
BOOLEANS = ("insecure-skip-tls-verify", "disable-compression")
SECRET = ("certificate-authority-data", "client-certificate-data", "client-key-data")
PRIVATE_MODE = 0o600


@dataclass(frozen=True)
class ConfigFile:
    """The files in use, in the order in which they are read."""

    files: list[Path]

    @classmethod
    def of(cls, session: Session) -> "ConfigFile":
        return cls(paths(session.flags.get("kubeconfig", "")))

    @property
    def merged(self) -> Tree:
        return read(self.files)

    @property
    def target(self) -> Path:
        """Where what is new goes: the first file that exists, else the last of the list."""
        return next((path for path in self.files if path.exists()), self.files[-1])

    def holder(self, section: str, name: str = "") -> Path:
        """The file that already holds the entry, or would get it."""
        for path in self.files:
            tree = _load(path)
            if name and section in ENTRIES:
                if entry_of(tree, section, name) is not None:
                    return path
            elif tree.get(section):
                return path
        return self.target

    def change(self, path: Path, change: Callable[[Tree], Any]) -> None:
        """Read, change, write: whole or not at all, readable by its owner alone."""
        tree = {"apiVersion": "v1", "clusters": None, "contexts": None, "current-context": "", "kind": "Config", "users": None}
        tree.update(_load(path))
        tree.pop("preferences", None)
        change(tree)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(PRIVATE_MODE)
        fresh.write_text(as_yaml(tree))
        fresh.replace(path)


def _load(path: Path) -> Tree:
    try:
        return yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise CommandError(f'error loading config file "{path}": {error}') from error


def entry_of(tree: Tree, section: str, name: str) -> Tree | None:
    """The inside of a named entry."""
    for one in tree.get(section) or ():
        if one["name"] == name:
            found: Tree = one.get(ENTRIES[section]) or {}
            return found
    return None


def put(tree: Tree, section: str, name: str, fields: dict[str, Any]) -> None:
    """Merge fields into an entry: None leaves one alone, "" and False remove it. Entries stay in order of their names."""
    entries = list(tree.get(section) or ())
    found = next((one for one in entries if one["name"] == name), None)
    if found is None:
        found = {"name": name}
        entries.append(found)
    inside = {**({"cluster": "", "user": ""} if section == "contexts" else {}), **(found.get(ENTRIES[section]) or {})}
    for field, value in fields.items():
        if value is None:
            continue
        if (value == "" or value is False) and field not in ("cluster", "user"):
            inside.pop(field, None)
        else:
            inside[field] = value
    found[ENTRIES[section]] = inside
    tree[section] = sorted(entries, key=lambda one: str(one["name"]))


def remove(tree: Tree, section: str, name: str) -> None:
    tree[section] = [one for one in tree.get(section) or () if one["name"] != name]


def set_path(tree: Tree, path: str, value: str) -> None:
    """`current-context`, `clusters.NAME.server`. Raises CommandError."""
    section, name, field = _parts(path)
    if section in TEXTS and not name:
        tree[section] = value
        return
    if section == "preferences":
        if name != "colors":
            raise CommandError(f'unable to parse "{path}": preferences have colors alone')
        return  # read by nobody, and kept nowhere
    if not field or field not in FIELDS[section]:
        raise CommandError(f"can't set a map to a value: {', '.join(sorted(one['name'] for one in tree.get(section) or ()))}")
    typed: Any = value
    if field.endswith("-data"):
        _check_base64(value)
    if field in BOOLEANS:
        if value not in ("true", "false"):
            raise CommandError(f'strconv.ParseBool: parsing "{value}": invalid syntax')
        typed = value == "true"
    put(tree, section, name, {field: typed})


def unset_path(tree: Tree, path: str) -> None:
    """A field, an entry, or a whole section. Raises CommandError."""
    section, name, field = _parts(path)
    if not name:
        tree[section] = "" if section in TEXTS else None
    elif not field:
        remove(tree, section, name)
    else:
        put(tree, section, name, {field: ""})


def _parts(path: str) -> tuple[str, str, str]:
    section, _, rest = path.partition(".")
    if section not in (*ENTRIES, *TEXTS, "preferences"):
        raise CommandError(f"unable to parse {path} after [] at api.Config")
    name, _, field = rest.rpartition(".") if "." in rest else (rest, "", "")
    return section, name, field


def _check_base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except ValueError as error:
        at = next((index for index, letter in enumerate(text) if not (letter.isalnum() or letter in "+/=")), len(text))
        raise CommandError(f"error decoding input value: illegal base64 data at input byte {at}") from error


def in_order(inner: str, entry: Tree) -> Tree:
    """An entry's fields as upstream's type has them; a context always names a cluster and a user."""
    known = {"cluster": "", "user": "", **entry} if inner == "context" else entry
    return {name: known[name] for name in (*(one for one in FIELDS[f"{inner}s"] if one in known), *known) if name in known}


def redacted(tree: Tree) -> Tree:
    """Without what must not be shown."""
    made = dict(tree)
    for section, inner in (("clusters", "cluster"), ("users", "user")):
        if not tree.get(section):
            continue
        made[section] = []
        for one in tree[section]:
            entry = dict(one.get(inner) or {})
            entry.update({name: "DATA+OMITTED" for name in SECRET if name in entry})
            entry.update({name: "REDACTED" for name in ("token", "password") if name in entry})
            made[section].append({"name": one["name"], inner: entry})
    return made


def minified(tree: Tree, name: str) -> Tree:
    """One context and what it names. Raises CommandError."""
    found = entry_of(tree, "contexts", name)
    if found is None:
        raise CommandError(f"cannot locate context {name}" if name else "current-context must exist in order to minify")
    keep = {"contexts": name, "clusters": found.get("cluster"), "users": found.get("user")}
    for section, wanted in keep.items():
        if wanted and section != "contexts" and entry_of(tree, section, wanted) is None:
            raise CommandError(f"cannot locate {ENTRIES[section]} {wanted}")
    kept = {section: [one for one in tree.get(section) or () if one["name"] == wanted] for section, wanted in keep.items()}
    return {**tree, **kept, "current-context": name}


def flattened(tree: Tree) -> Tree:
    """Files named in it become data in it."""
    made = dict(tree)
    for section, inner in (("clusters", "cluster"), ("users", "user")):
        made[section] = []
        for one in tree.get(section) or ():
            entry = dict(one.get(inner) or {})
            for field in ("certificate-authority", "client-certificate", "client-key"):
                if entry.get(field):
                    entry[f"{field}-data"] = base64.b64encode(Path(entry.pop(field)).read_bytes()).decode()
            made[section].append({"name": one["name"], inner: entry})
    return made
