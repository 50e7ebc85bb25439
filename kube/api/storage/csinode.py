"""CSINode: the storage drivers of a node (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/
"""

from collections.abc import Iterator, Sequence

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.core.volume_sources import driver_name_errors
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, invalid, required
from kube.api.types import CSINode, CSINodeDriver
from kube.api.views import tree_of

LONGEST_ID = 192


def validate(new: CSINode, old: CSINode | None) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, driver in enumerate((new.spec.drivers if new.spec else None) or ()):
        at = f"spec.drivers[{index}]"
        yield from driver_name_errors(driver.name, f"{at}.name")
        if not driver.nodeID:
            yield required(f"{at}.nodeID")
        elif len(driver.nodeID.encode()) > LONGEST_ID:
            yield invalid(f"{at}.nodeID", driver.nodeID, f"must be {LONGEST_ID} bytes or less")
        if driver.allocatable is not None:
            yield from validation.not_negative(f"{at}.allocatable.count", driver.allocatable.count)
        if driver.name in seen:
            yield duplicate(f"{at}.name", driver.name)
        seen.add(driver.name)
        yield from _topology_errors(driver.topologyKeys or (), at)
        for before in (old.spec.drivers if old is not None and old.spec else None) or ():
            if before.name == driver.name and _lasting(before) != _lasting(driver):
                yield invalid("CSINodeDriver", tree_of(driver), validation.IMMUTABLE)


def _lasting(driver: CSINodeDriver) -> tuple[str, list[str]]:
    """What of a driver stays; how many volumes it takes may change (KEP-4876)."""
    return driver.nodeID, list(driver.topologyKeys or ())


def _topology_errors(keys: Sequence[str], at: str) -> Iterator[FieldError]:
    """Upstream tells of each at its driver."""
    for index, key in enumerate(keys):
        if not key:
            yield required(at)
        if key in keys[:index]:
            yield duplicate(at, key)
        for complaint in names.qualified(key):
            yield invalid(at, list(keys), complaint)


RESOURCE = Resource(
    view=CSINode,
    group="storage.k8s.io",
    version="v1",
    kind="CSINode",
    plural="csinodes",
    namespaced=False,
    has_generation=False,
    unconditional_update=False,
    validate=validate,
    columns=(plain("Drivers", lambda node: len(node.spec.drivers or ()), type="integer"), AGE),
)
