"""The kustomization file of a folder: found, read, its older fields brought to today's, unknown ones refused."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kube.api.meta import Tree
from kubectl.decoding import DecodeError, documents
from kubectl.errors import CommandError

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
FIELDS = frozenset(
    [
        "apiVersion",
        "kind",
        "metadata",
        "resources",
        "components",
        "namespace",
        "namePrefix",
        "nameSuffix",
        "labels",
        "commonLabels",
        "commonAnnotations",
        "images",
        "replicas",
        "configMapGenerator",
        "secretGenerator",
        "generatorOptions",
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "replacements",
        "sortOptions",
        "bases",
    ]
)
UNSUPPORTED = frozenset((
    "vars", "configurations", "crds", "transformers", "generators", "validators", "openapi", "buildMetadata", "helmCharts",
    "helmGlobals", "helmChartInflationGenerator",
))  # fmt: skip
DEPRECATED = {
    "bases": "resources",
    "commonLabels": "labels",
    "patchesStrategicMerge": "patches",
    "patchesJson6902": "patches",
}


@dataclass(frozen=True)
class Kustomization:
    """One folder's. `root`: the folder, resolved; files must be in it or below."""

    root: Path
    fields: Tree

    @property
    def is_component(self) -> bool:
        return self.fields.get("kind") == "Component"

    def list(self, name: str) -> list[Any]:
        found: list[Any] = self.fields.get(name) or []
        return found

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")

    def read(self, path: str) -> bytes:
        """A file of the folder. Raises CommandError for one that is not there, or outside."""
        place = Path(os.path.realpath(self.root / path))
        if not place.is_relative_to(self.root):
            raise CommandError(f"security; file '{place}' is not in or below '{self.root}'")
        try:
            return place.read_bytes()
        except OSError as error:
            raise CommandError(f"open {place}: {(error.strerror or '').lower()}") from error


def load(folder: Path, warn: Callable[[str], None]) -> Kustomization:
    """Raises CommandError. `warn` is told of fields that have a younger name."""
    root = Path(os.path.realpath(folder))
    if not root.is_dir():
        raise CommandError(f"must build at directory: not a valid directory: '{folder}' doesn't exist")
    found = [name for name in NAMES if (root / name).is_file()]
    if not found:
        raise CommandError(
            f"unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{root}'"
        )
    if len(found) > 1:
        raise CommandError(f"Found multiple kustomization files under: {root}")
    return Kustomization(root, fields(_read(root / found[0]), warn))


def fields(given: Tree, warn: Callable[[str], None]) -> Tree:
    """What the file says, in today's fields."""
    for name in given:
        if name in UNSUPPORTED:
            raise CommandError(f"invalid Kustomization: the field {name} is not supported")
        if name not in FIELDS:
            raise CommandError(f'invalid Kustomization: json: unknown field "{name}"')
    for old, new in DEPRECATED.items():
        if given.get(old):
            warn(
                f"# Warning: '{old}' is deprecated. Please use '{new}' instead. Run 'kustomize edit fix' to update your "
                "Kustomization automatically."
            )
    return {**given, "resources": [*(given.get("resources") or ()), *(given.get("bases") or ())]}


def _read(path: Path) -> Tree:
    try:
        found = [tree for tree in documents(path.read_bytes()) if tree is not None]
    except DecodeError as error:
        raise CommandError(f"invalid Kustomization: {error}") from error
    if not found:
        raise CommandError("kustomization.yaml is empty")
    if len(found) > 1 or not isinstance(found[0], dict):
        raise CommandError("invalid Kustomization: one object is wanted")
    tree: Tree = found[0]
    return tree
