"""DeviceClass: a sort of devices that requests name (resource.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/device-class-v1/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE
from kube.api.dynamic_resources import requests
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import DeviceClass


def validate(new: DeviceClass, old: DeviceClass | None) -> Iterator[FieldError]:
    if new.spec is None:
        return
    yield from requests.selectors(new.spec.selectors, "spec.selectors")
    yield from requests.configurations(new.spec.config, "spec.config")
    if new.spec.extendedResourceName:
        yield from validation.named("spec.extendedResourceName", new.spec.extendedResourceName, names.qualified)


RESOURCE = Resource(
    view=DeviceClass,
    group="resource.k8s.io",
    version="v1",
    kind="DeviceClass",
    plural="deviceclasses",
    namespaced=False,
    validate=validate,
    columns=(AGE,),
)
