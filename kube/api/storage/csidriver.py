"""CSIDriver: what a storage driver can do (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-driver-v1/
"""

from collections.abc import Iterable, Iterator

from kube.api import validation
from kube.api.columns import AGE, UNSET, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, invalid, unsupported
from kube.api.types import CSIDriver, TokenRequest

MODES = ("Persistent", "Ephemeral")
GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
SHORTEST_TOKEN, LONGEST_TOKEN = 600, 1 << 32


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
    yield from _tokens(spec.tokenRequests or ())
    for mode in spec.volumeLifecycleModes or ():
        if mode not in MODES:
            yield unsupported("spec.volumeLifecycleModes", mode, MODES)
    if spec.fsGroupPolicy not in GROUP_POLICIES:
        yield unsupported("spec.fsGroupPolicy", spec.fsGroupPolicy, GROUP_POLICIES)
    if old is not None:
        yield from validation.unchanged("spec.attachedRequired", spec.attachRequired, old.spec.attachRequired)  # upstream's path
        yield from validation.unchanged("spec.volumeLifecycleModes", spec.volumeLifecycleModes, old.spec.volumeLifecycleModes)


def _tokens(requests: Iterable[TokenRequest]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, one in enumerate(requests):
        path, seconds = f"spec.tokenRequests[{index}]", one.expirationSeconds
        if one.audience in seen:
            yield duplicate(f"{path}.audience", one.audience)
        seen.add(one.audience)
        if seconds is not None and seconds < SHORTEST_TOKEN:
            yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        if seconds is not None and seconds > LONGEST_TOKEN:
            yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


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
