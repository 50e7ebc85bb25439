"""ServiceCIDR: a range from which Services get their addresses (networking.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/networking-resources/service-cidr-v1/
"""

from collections.abc import Iterator
from ipaddress import ip_network

from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.network_address import cidr_complaints
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid, required
from kube.api.types import ServiceCIDR


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate(new: ServiceCIDR, old: ServiceCIDR | None) -> Iterator[FieldError]:
    blocks = list((new.spec.cidrs if new.spec else None) or ())
    if not blocks:
        yield required("spec.cidrs", "at least one CIDR required")
        return
    if len(blocks) > 2:
        yield invalid("spec.cidrs", blocks, "may only hold up to 2 values")
    complaints = [(index, block, one) for index, block in enumerate(blocks) for one in cidr_complaints(block)]
    for index, block, complaint in complaints:
        yield invalid(f"spec.cidrs[{index}]", block, complaint)
    if not complaints and len(blocks) == 2 and len({ip_network(one, strict=False).version for one in blocks}) == 1:
        yield invalid(
            "spec.cidrs", blocks, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        )
    if old is not None and blocks[: len(old.spec.cidrs)] != list(old.spec.cidrs):
        yield invalid("spec.cidrs", blocks, "field is immutable")


RESOURCE = Resource(
    view=ServiceCIDR,
    group="networking.k8s.io",
    version="v1",
    kind="ServiceCIDR",
    plural="servicecidrs",
    namespaced=False,
    subresources=("status",),
    has_generation=False,
    prepare=prepare,
    validate=validate,
    columns=(plain("CIDRs", lambda one: ",".join(one.spec.cidrs or ())), AGE),
)
