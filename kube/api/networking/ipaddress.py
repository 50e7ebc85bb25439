"""IPAddress: an address that a Service holds; two cannot hold one (networking.k8s.io/v1).

Its name is the address.
https://kubernetes.io/docs/reference/kubernetes-api/networking-resources/ip-address-v1/
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from kube.api import validation
from kube.api.columns import plain
from kube.api.network_address import IP_TEXT
from kube.api.resource import Resource
from kube.api.status import FieldError, required
from kube.api.types import IPAddress


def validate_name(name: str) -> Iterable[str]:
    try:
        address = ip_address(name)
    except ValueError:
        yield IP_TEXT
        return
    if str(address) != name:
        yield "must be a valid address in canonical form"


def validate(new: IPAddress, old: IPAddress | None) -> Iterator[FieldError]:
    parent = new.spec.parentRef
    for field in ("resource", "name"):
        if not getattr(parent, field):
            yield required(f"spec.parentRef.{field}")
    if old is not None:
        yield from validation.unchanged("spec.parentRef", parent, old.spec.parentRef)


def parent(address: IPAddress) -> str:
    """`services/default/web`."""
    found = address.spec.parentRef
    resource = f"{found.resource}.{found.group}" if found.group else found.resource
    return "/".join(part for part in (resource, found.namespace, found.name) if part)


RESOURCE = Resource(
    view=IPAddress,
    group="networking.k8s.io",
    version="v1",
    kind="IPAddress",
    plural="ipaddresses",
    namespaced=False,
    short_names=("ip",),
    has_generation=False,
    validate=validate,
    validate_name=validate_name,
    columns=(plain("ParentRef", parent),),
)
