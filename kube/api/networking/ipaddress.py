"""IPAddress: an address that a Service holds; two cannot hold one (networking.k8s.io/v1).

Its name is the address.
https://kubernetes.io/docs/reference/kubernetes-api/networking-resources/ip-address-v1/
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from kube.api import names, validation
from kube.api.columns import plain
from kube.api.network_address import ip_complaints
from kube.api.resource import Resource
from kube.api.status import FieldError, required
from kube.api.types import IPAddress


def validate_name(name: str) -> Iterable[str]:
    complaints = ip_complaints(name)
    if not complaints and str(ip_address(name)) != name:
        complaints = [f'must be in canonical form ("{ip_address(name)}")']
    return complaints


def validate(new: IPAddress, old: IPAddress | None) -> Iterator[FieldError]:
    reference, path = new.spec.parentRef if new.spec else None, "spec.parentRef"
    if old is not None:
        yield from validation.unchanged(path, reference, old.spec.parentRef if old.spec else None)
        return
    if reference is None:
        yield required(path)
        return
    if reference.group:
        yield from validation.complain(f"{path}.group", reference.group, names.subdomain)
    for field in ("resource", "name"):
        yield from validation.named(f"{path}.{field}", getattr(reference, field), names.path_segment)
    if reference.namespace:
        yield from validation.complain(f"{path}.namespace", reference.namespace, names.path_segment)


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
