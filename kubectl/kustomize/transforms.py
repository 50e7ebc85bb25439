"""Transforms: namespace, name prefix and suffix, labels, annotations, images, replicas. Each changes the objects in place."""

import re
from collections.abc import Iterable, Sequence

from kube.api.meta import Tree
from kubectl.errors import CommandError
from kubectl.kustomize.fields import ANNOTATIONS, METADATA_LABELS, SELECTORS, TEMPLATE_LABELS, Spec, change, containers
from kubectl.kustomize.resource import CLUSTER_KINDS, Res

UNNAMED = ("CustomResourceDefinition", "APIService", "Namespace")  # their names mean something: no prefix, no suffix
SCALED = ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
IMAGE = re.compile(r"(?P<name>[^@]*?)(?P<tag>:[^:/@]+)?(?P<digest>@.+)?")


def set_namespace(found: Sequence[Res], namespace: str) -> None:
    for one in found:
        if one.kind == "Namespace":
            one.remember()
            one.metadata["name"] = namespace
        elif one.kind not in CLUSTER_KINDS:
            one.remember()
            one.metadata["namespace"] = namespace
        if one.kind in ("RoleBinding", "ClusterRoleBinding"):
            for subject in one.tree.get("subjects") or ():
                if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
                    subject["namespace"] = namespace
        if one.kind == "APIService":
            change(one.tree, "spec/service/namespace", lambda _: namespace)
        if one.kind == "CustomResourceDefinition":
            change(one.tree, "spec/conversion/webhook/clientConfig/service/namespace", lambda _: namespace)


def rename(found: Iterable[Res], prefix: str, suffix: str) -> None:
    for one in found:
        if one.kind not in UNNAMED:
            one.remember()
            one.prefixes += [prefix] if prefix else []
            one.suffixes += [suffix] if suffix else []
            one.metadata["name"] = f"{prefix}{one.name}{suffix}"


def add_labels(
    found: Iterable[Res], labels: dict[str, str], *, selectors: bool, templates: bool, more: Sequence[Spec] = ()
) -> None:
    """To the objects; also to their pod templates, and to whatever selects by labels."""
    specs = [*METADATA_LABELS, *(TEMPLATE_LABELS if selectors or templates else ()), *(SELECTORS if selectors else ()), *more]
    _add(found, labels, specs)


def add_annotations(found: Iterable[Res], annotations: dict[str, str]) -> None:
    _add(found, annotations, ANNOTATIONS)


def _add(found: Iterable[Res], pairs: dict[str, str], specs: Sequence[Spec]) -> None:
    for one in found:
        for spec in specs:
            if spec.fits(one):
                change(one.tree, spec.path, lambda have: {**(have or {}), **pairs}, create=spec.create)


def set_image(found: Iterable[Res], wanted: Tree) -> None:
    """`name`, and of it newName, newTag, digest or tagSuffix."""
    for one in found:
        for container in containers(one.tree):
            image = container.get("image")
            if isinstance(image, str):
                container["image"] = renamed_image(image, wanted)


def renamed_image(image: str, wanted: Tree) -> str:
    parts = IMAGE.fullmatch(image)
    assert parts is not None
    name, tag, digest = parts["name"], parts["tag"] or "", parts["digest"] or ""
    if not _is_named(name, str(wanted.get("name", ""))):
        return image
    name = wanted.get("newName") or name
    if wanted.get("newTag"):
        tag, digest = f":{wanted['newTag']}", ""
    if wanted.get("digest"):
        tag, digest = (tag if wanted.get("newTag") else ""), f"@{wanted['digest']}"
    if wanted.get("tagSuffix") and tag and not digest:
        tag += str(wanted["tagSuffix"])
    return f"{name}{tag}{digest}"


def _is_named(name: str, wanted: str) -> bool:
    return name == wanted or re.fullmatch(wanted, name) is not None


def set_replicas(found: Sequence[Res], name: str, count: int) -> None:
    """Raises CommandError where no object that can be scaled has the name."""
    fitting = [one for one in found if one.kind in SCALED and name in one.names]
    if not fitting:
        kinds = ", ".join(SCALED)
        raise CommandError(f"resource with name {name} does not match a config with the following GVK [{kinds}]")
    for one in fitting:
        one.tree.setdefault("spec", {})["replicas"] = count
