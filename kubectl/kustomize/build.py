"""Build: a folder with a kustomization to the objects that it means.

In each folder: resources (folders among them are built first), generators, components, then the changes in this order: strategic
patches, patches, namespace, prefix, suffix, labels, annotations, JSON patches, replicas, images, replacements. When all is done:
hashes behind the names of what was generated, references, order. kubernetes-sigs/kustomize api/internal/target/kusttarget.go
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kube.api.meta import Tree
from kubectl.decoding import DecodeError, PlainLoader, documents
from kubectl.errors import CommandError
from kubectl.kustomize import transforms
from kubectl.kustomize.fields import Spec
from kubectl.kustomize.generators import absorbed, add_hashes, data_of, generated
from kubectl.kustomize.kustomization import Kustomization, load
from kubectl.kustomize.patching import merge_into, named, operate_on, selected
from kubectl.kustomize.references import follow
from kubectl.kustomize.replacing import replace
from kubectl.kustomize.resource import Res

FIRST = (
    "Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy", "Role",
    "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service", "LimitRange",
    "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget",
)  # fmt: skip
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


class Malformed(CommandError):
    """A file of resources cannot be read."""


class Twice(CommandError):
    """An object is there already."""


Warn = Callable[[str], None]


def build(folder: str, warn: Warn | None = None) -> list[Tree]:
    """The objects, in the order in which they are to be made. Raises CommandError."""
    top = load(Path(folder), warn or _warned)
    found = _accumulated(top, [], (), warn or _warned)
    add_hashes(found)
    follow(found)
    for one in found:
        _in_words(one)
    order = (top.fields.get("sortOptions") or {}).get("order", "legacy")
    if order == "legacy":
        found.sort(key=_place)
    return [one.tree for one in found]


def _in_words(one: Res) -> None:
    """Labels and annotations are text, whatever a patch made them."""
    for field in ("labels", "annotations"):
        pairs = one.metadata.get(field) or {}
        for name, value in pairs.items():
            if not isinstance(value, str):
                pairs[name] = json.dumps(value)


def _warned(text: str) -> None:
    print(text, file=sys.stderr)


def _place(one: Res) -> tuple[Any, ...]:
    rank = FIRST.index(one.kind) - len(FIRST) if one.kind in FIRST else 1 + LAST.index(one.kind) if one.kind in LAST else 0
    return rank, one.group, one.version, one.kind, one.namespace or "~X", one.name


def _accumulated(here: Kustomization, found: list[Res], around: Sequence[Path], warn: Warn) -> list[Res]:
    """What a folder means; a component changes what was `found` before it."""
    if here.root in around:
        raise CommandError(f"cycle detected: candidate root '{here.root}' contains visited root '{here.root}'")
    path = (*around, here.root)
    for name in here.list("resources"):
        _take(found, here, str(name), path, warn)
    _generate(here, found)
    for name in here.list("components"):
        component = load(here.root / str(name), warn)
        if not component.is_component:
            raise CommandError(f"accumulating components: expected kind 'Component' for path '{name}' but got 'Kustomization'")
        found = _accumulated(component, found, path, warn)
    _transform(here, found)
    return found


def _take(found: list[Res], here: Kustomization, name: str, path: Sequence[Path], warn: Warn) -> None:
    """The objects of a file, or of a folder that is built first."""
    place = Path(os.path.realpath(here.root / name))
    if "://" in name or name.startswith(("git@", "github.com/")):
        raise CommandError(f"accumulating resources from '{name}': remote resources are not supported")
    if not place.exists():
        gone = f"evalsymlink failure on '{place}' : lstat {place}: no such file or directory"
        raise _failed(name, gone, f"must build at directory: not a valid directory: {gone}")
    try:
        made = _folder(place, path, warn) if place.is_dir() else [Res(tree) for tree in _trees(here.read(name), name)]
        for one in made:
            _append(found, one)
    except Malformed as error:
        raise CommandError(f"accumulating resources: accumulating resources from '{name}': {error}") from error
    except CommandError as error:
        if place.is_dir():
            raise _failed(name, f"'{place}' must resolve to a file", str(error)) from error
        doing = "merging resources" if isinstance(error, Twice) else "accumulating resources"
        raise _failed(name, str(error), f"must build at directory: '{place}': file is not directory", doing) from error


def _failed(name: str, as_file: str, as_folder: str, doing: str = "accumulating resources") -> CommandError:
    return CommandError(f"accumulating resources: accumulation err='{doing} from '{name}': {as_file}': {as_folder}")


def _folder(place: Path, path: Sequence[Path], warn: Warn) -> list[Res]:
    inner = load(place, warn)
    if inner.is_component:
        raise CommandError(f"expected kind != 'Component' for path '{place}'")
    return _accumulated(inner, [], path, warn)


def _trees(content: bytes, source: str) -> list[Tree]:
    try:
        given = [tree for tree in documents(content, PlainLoader) if tree is not None]
    except DecodeError as error:
        told = str(error).removeprefix("error converting YAML to JSON: ")
        raise Malformed(f"MalformedYAMLError: {told} in File: {source}") from error
    found: list[Tree] = []
    for tree in given:
        if isinstance(tree, dict) and str(tree.get("kind", "")).endswith("List") and isinstance(tree.get("items"), list):
            found += tree["items"]
        else:
            found.append(tree)
    for tree in found:
        if not isinstance(tree, dict) or not tree.get("kind") or not (tree.get("metadata") or {}).get("name"):
            what = "kind" if not isinstance(tree, dict) or not tree.get("kind") else "metadata.name"
            named = (
                f"{{{{{tree.get('apiVersion', '')} {tree.get('kind', '')}}} {{{{ }} map[] map[]}}}}"
                if isinstance(tree, dict)
                else tree
            )
            raise CommandError(f"missing {what} in object {named}")
    return found


def _append(found: list[Res], one: Res) -> None:
    if any(one.is_same(other) for other in found):
        shown = f"{one.kind}.{one.version}.{one.group or '[noGrp]'}/{one.name}.{one.namespace or '[noNs]'}"
        raise Twice(f"may not add resource with an already registered id: {shown}")
    found.append(one)


def _generate(here: Kustomization, found: list[Res]) -> None:
    general = here.fields.get("generatorOptions") or {}
    for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for given in here.list(field):
            made = generated(kind, given, data_of(given, here.read), general)
            absorbed(found, made, str(given.get("behavior") or ""))


def _transform(here: Kustomization, found: list[Res]) -> None:
    for given in here.list("patchesStrategicMerge"):
        _patch(here, found, {"patch": given} if "\n" in str(given) else {"path": given})
    for given in here.list("patches"):
        _patch(here, found, given)
    if here.text("namespace"):
        transforms.set_namespace(found, here.text("namespace"))
    if here.text("namePrefix") or here.text("nameSuffix"):
        transforms.rename(found, here.text("namePrefix"), here.text("nameSuffix"))
    _label(here, found)
    for given in here.list("patchesJson6902"):
        _patch(here, found, given)
    for given in here.list("replicas"):
        transforms.set_replicas(found, str(given.get("name")), int(given.get("count", 0)))
    for given in here.list("images"):
        transforms.set_image(found, given)
    for given in here.list("replacements"):
        sources = _trees_of_replacement(here, given)
        for one in sources:
            replace(found, one)


def _trees_of_replacement(here: Kustomization, given: Tree) -> list[Tree]:
    if not given.get("path"):
        return [given]
    read = [tree for tree in documents(here.read(str(given["path"]))) if tree]
    return [one for tree in read for one in (tree if isinstance(tree, list) else [tree])]


def _label(here: Kustomization, found: list[Res]) -> None:
    for given in here.list("labels"):
        more = [Spec(str(one["path"]), str(one.get("kind", "")), bool(one.get("create"))) for one in given.get("fields") or ()]
        pairs = _strings(given.get("pairs"), "Label.labels.pairs")
        selectors, templates = bool(given.get("includeSelectors")), bool(given.get("includeTemplates"))
        transforms.add_labels(found, pairs, selectors=selectors, templates=templates, more=more)
    if here.fields.get("commonLabels"):
        pairs = _strings(here.fields["commonLabels"], "Kustomization.commonLabels")
        transforms.add_labels(found, pairs, selectors=True, templates=True)
    if here.fields.get("commonAnnotations"):
        transforms.add_annotations(found, _strings(here.fields["commonAnnotations"], "Kustomization.commonAnnotations"))


def _strings(pairs: Tree | None, field: str) -> dict[str, str]:
    for value in (pairs or {}).values():
        if not isinstance(value, str):
            kind = "bool" if isinstance(value, bool) else "number"
            raise CommandError(f"invalid Kustomization: json: cannot unmarshal {kind} into Go struct field {field} of type string")
    return dict(pairs or {})


def _patch(here: Kustomization, found: list[Res], given: Tree) -> None:
    """One patch, of either form; a text of several documents is several patches."""
    content = here.read(str(given["path"])) if given.get("path") else str(given.get("patch", "")).encode()
    target, options = given.get("target"), given.get("options") or {}
    try:
        bodies = [body for body in documents(content, PlainLoader) if body is not None]
        if any(isinstance(body, list) for body in bodies):
            bodies = [body for body in documents(content) if body is not None]
    except DecodeError as error:
        raise CommandError(f"unable to parse SM or JSON patch from [{content.decode()}]: {error}") from error
    for body in bodies:
        if isinstance(body, list):
            if not target:
                raise CommandError("must specify a target for JSON patch " + content.decode())
            operate_on(selected(found, target), body)
        else:
            merge_into(found, selected(found, target) if target else named(found, body), body, options)
