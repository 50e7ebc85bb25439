"""CSINode: the storage drivers of a node (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/
"""

from collections.abc import Iterator

from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, required
from kube.api.types import CSINode


def validate(new: CSINode, old: CSINode | None) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, driver in enumerate((new.spec.drivers if new.spec else None) or ()):
        at = f"spec.drivers[{index}]"
        for field in ("name", "nodeID"):
            if not getattr(driver, field):
                yield required(f"{at}.{field}")
        if driver.name in seen:
            yield duplicate(f"{at}.name", driver.name)
        seen.add(driver.name)


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
