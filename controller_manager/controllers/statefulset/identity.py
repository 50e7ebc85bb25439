"""Identity of a stateful pod: its number, its names, its claims; what follows from them for the pod. Pure.

A pod is `<set>-<ordinal>`, reached as `<pod>.<serviceName>`; a claim is `<template>-<set>-<ordinal>`, and stays with the number
when the pod is replaced. Labels tell the number and the revision of the template that the pod is of.
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity
kubernetes pkg/controller/statefulset/stateful_set_utils.go
"""

from collections.abc import Iterator

from controller_manager.history import HASH_LABEL
from controller_manager.pod_control import pod_from_template
from kube.api.meta import Tree
from kube.api.types import ControllerRevision, Pod, PodTemplateSpec, StatefulSet
from kube.api.views import tree_of, view

NAME_LABEL, INDEX_LABEL = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def ordinals(sts: StatefulSet) -> range:
    """The numbers that the set wants pods for."""
    start = first_ordinal(sts)
    return range(start, start + (1 if sts.spec.replicas is None else sts.spec.replicas))


def first_ordinal(sts: StatefulSet) -> int:
    return (sts.spec.ordinals.start or 0) if sts.spec.ordinals is not None else 0


def ordinal_of(sts: StatefulSet, name: str) -> int | None:
    """The number of a pod of this set; None for a name that is none of its."""
    parent, dash, number = name.rpartition("-")
    return int(number) if dash and parent == sts.metadata.name and number.isdecimal() else None


def template_of(revision: ControllerRevision) -> PodTemplateSpec:
    """The template that a revision keeps."""
    template = {name: part for name, part in tree_of(revision.data)["spec"]["template"].items() if name != "$patch"}
    return view(PodTemplateSpec, template)


def pod_for(sts: StatefulSet, ordinal: int, revision: ControllerRevision) -> Tree:
    """The pod of a number, by a revision's template."""
    name = f"{sts.metadata.name}-{ordinal}"
    tree = pod_from_template(sts, template_of(revision))
    metadata, spec = tree["metadata"], tree["spec"]
    del metadata["generateName"]
    metadata["name"] = name
    metadata["labels"] = {**metadata.get("labels", {}), **identity_labels(name, ordinal), HASH_LABEL: revision.metadata.name}
    spec["hostname"] = name
    if sts.spec.serviceName:
        spec["subdomain"] = sts.spec.serviceName
    volumes = [
        {"name": template, "persistentVolumeClaim": {"claimName": claim_name(sts, template, ordinal)}}
        for template in claim_templates(sts)
    ]
    if volumes:
        claimed = {one["name"] for one in volumes}
        spec["volumes"] = volumes + [one for one in spec.get("volumes") or () if one["name"] not in claimed]
    return tree


def identity_labels(name: str, ordinal: int) -> dict[str, str]:
    return {NAME_LABEL: name, INDEX_LABEL: str(ordinal)}


def lacks_identity(sts: StatefulSet, pod: Pod) -> bool:
    """Whether a pod (an adopted one, or one of old) has not the labels of its number."""
    labels, ordinal = pod.metadata.labels or {}, ordinal_of(sts, pod.metadata.name)
    return ordinal is not None and any(
        labels.get(name) != value for name, value in identity_labels(pod.metadata.name, ordinal).items()
    )


def revision_of(pod: Pod) -> str:
    """The name of the revision that the pod is of."""
    return str((pod.metadata.labels or {}).get(HASH_LABEL, ""))


def claim_templates(sts: StatefulSet) -> list[str]:
    return [one.metadata.name for one in sts.spec.volumeClaimTemplates or ()]


def claim_name(sts: StatefulSet, template: str, ordinal: int) -> str:
    return f"{template}-{sts.metadata.name}-{ordinal}"


def claims_for(sts: StatefulSet, ordinal: int) -> Iterator[Tree]:
    """The claims of a number, as they are made."""
    for template in sts.spec.volumeClaimTemplates or ():
        tree: Tree = tree_of(template)
        metadata = {**(tree.get("metadata") or {}), "namespace": sts.metadata.namespace}
        metadata["name"] = claim_name(sts, metadata["name"], ordinal)
        metadata["labels"] = {**(metadata.get("labels") or {}), **(sts.spec.selector.matchLabels or {})}
        yield {"metadata": metadata, "spec": tree.get("spec") or {}}
