"""DefaultStorageClass, DefaultIngressClass: a claim, or an Ingress, that names no class gets the default one.

Of several default classes the newest counts; of those made in one second, the first by name. `storageClassName: ""` is a name:
it means none, and stays. https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class
"""

from typing import Any

from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Tree
from kube.api.resources import resource_of
from kube.api.types import IngressClass, StorageClass


class DefaultStorageClass:
    name = "DefaultStorageClass"
    kinds = ("PersistentVolumeClaim",)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        marks = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
        if attributes.resource.kind == "PersistentVolumeClaim":
            _fill_in(attributes, server, "storageClassName", "volume.beta.kubernetes.io/storage-class", StorageClass, marks)


class DefaultIngressClass:
    name = "DefaultIngressClass"
    kinds = ("Ingress",)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        marks = ("ingressclass.kubernetes.io/is-default-class",)
        if attributes.resource.kind == "Ingress":
            _fill_in(attributes, server, "ingressClassName", "kubernetes.io/ingress.class", IngressClass, marks)


def _fill_in(
    attributes: AdmissionAttributes, server: Server, field: str, old_annotation: str, kind: type[Any], marks: tuple[str, ...]
) -> None:
    """`old_annotation` is what the field was once; who still uses it wants no default."""
    new = attributes.object
    if attributes.subresource or attributes.operation != "CREATE" or new is None:
        return
    spec = new.setdefault("spec", {})  # it may lack one: validation comes after this
    if spec.get(field) is not None or old_annotation in (new["metadata"].get("annotations") or {}):
        return
    found = newest_default(server.stores.store_for(resource_of(kind)).cached_list(), marks)
    if found is not None:
        spec[field] = found["metadata"]["name"]


def newest_default(classes: list[Tree], marks: tuple[str, ...]) -> Tree | None:
    """The default class; a class is one where an annotation of `marks` says so. Pure."""
    defaults = [one for one in classes if any((one["metadata"].get("annotations") or {}).get(mark) == "true" for mark in marks)]
    by_name = sorted(defaults, key=lambda one: one["metadata"]["name"])
    return max(by_name, key=lambda one: one["metadata"]["creationTimestamp"], default=None)
