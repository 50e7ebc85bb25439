"""CSIStorageCapacity: how much a storage class has left in some part of the cluster (storage.k8s.io/v1).

https://kubernetes.io/docs/concepts/storage/storage-capacity/
"""

from collections.abc import Iterator

from kube.api import names, quantity, validation
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid
from kube.api.types import CSIStorageCapacity


def validate(new: CSIStorageCapacity, old: CSIStorageCapacity | None) -> Iterator[FieldError]:
    yield from validation.selector_errors(new.nodeTopology, "nodeTopology")
    yield from validation.named("storageClassName", new.storageClassName, names.subdomain)
    for field in ("capacity", "maximumVolumeSize"):
        amount = getattr(new, field)
        if amount is not None and quantity.parse(amount) < 0:
            yield invalid(field, amount, validation.AT_LEAST_ZERO)
    if old is not None:
        yield from validation.unchanged("nodeTopology", new.nodeTopology, old.nodeTopology)
        yield from validation.unchanged("storageClassName", new.storageClassName, old.storageClassName)


RESOURCE = Resource(
    view=CSIStorageCapacity,
    group="storage.k8s.io",
    version="v1",
    kind="CSIStorageCapacity",
    plural="csistoragecapacities",
    has_generation=False,
    unconditional_update=False,
    validate=validate,
)
