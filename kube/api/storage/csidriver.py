"""CSIDriver: what a storage driver can do (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-driver-v1/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, UNSET, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, unsupported
from kube.api.types import CSIDriver

MODES = ("Ephemeral", "Persistent")
GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
KEPT = ("attachRequired", "fsGroupPolicy", "volumeLifecycleModes")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("attachRequired", True)
    spec.setdefault("podInfoOnMount", False)
    spec.setdefault("storageCapacity", False)
    spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]
    spec.setdefault("requiresRepublish", False)
    spec.setdefault("seLinuxMount", False)


def validate(new: CSIDriver, old: CSIDriver | None) -> Iterator[FieldError]:
    spec = new.spec
    for mode in spec.volumeLifecycleModes or ():
        if mode not in MODES:
            yield unsupported("spec.volumeLifecycleModes", mode, MODES)
    if spec.fsGroupPolicy not in GROUP_POLICIES:
        yield unsupported("spec.fsGroupPolicy", spec.fsGroupPolicy, GROUP_POLICIES)
    if old is not None:
        for field in KEPT:
            yield from validation.unchanged(f"spec.{field}", getattr(spec, field), getattr(old.spec, field))


def tokens(driver: CSIDriver) -> str:
    return ",".join(one.audience for one in driver.spec.tokenRequests or ()) or UNSET


RESOURCE = Resource(
    view=CSIDriver,
    group="storage.k8s.io",
    version="v1",
    kind="CSIDriver",
    plural="csidrivers",
    namespaced=False,
    has_generation=False,
    unconditional_update=False,
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        plain("AttachRequired", lambda driver: bool(driver.spec.attachRequired), type="boolean"),
        plain("PodInfoOnMount", lambda driver: bool(driver.spec.podInfoOnMount), type="boolean"),
        plain("StorageCapacity", lambda driver: bool(driver.spec.storageCapacity), type="boolean"),
        plain("TokenRequests", tokens),
        plain("RequiresRepublish", lambda driver: bool(driver.spec.requiresRepublish), type="boolean"),
        plain("Modes", lambda driver: ",".join(driver.spec.volumeLifecycleModes or ()) or "<none>"),
        AGE,
    ),
)
