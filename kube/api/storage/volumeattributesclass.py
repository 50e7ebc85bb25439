"""VolumeAttributesClass: settings of a volume that can be changed while it is used (storage.k8s.io/v1).

https://kubernetes.io/docs/concepts/storage/volume-attributes-classes/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, required
from kube.api.types import VolumeAttributesClass


def validate(new: VolumeAttributesClass, old: VolumeAttributesClass | None) -> Iterator[FieldError]:
    yield from validation.named("driverName", (new.driverName or "").lower(), names.qualified)
    if not new.parameters:
        yield required("parameters", "must contain at least one key/value pair")
    if old is None:
        return
    if (new.parameters or {}) != (old.parameters or {}):
        yield forbidden("parameters", "updates to parameters are forbidden.")
    if new.driverName != old.driverName:
        yield forbidden("driverName", "updates to driverName are forbidden.")


RESOURCE = Resource(
    view=VolumeAttributesClass,
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttributesClass",
    plural="volumeattributesclasses",
    namespaced=False,
    short_names=("vac",),
    has_generation=False,
    validate=validate,
    columns=(plain("DriverName", lambda one: one.driverName), AGE),
)
