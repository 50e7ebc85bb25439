"""ServiceCIDR: a range from which Services get their addresses (networking.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/networking-resources/service-cidr-v1/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.network_address import cidr_complaints, is_ipv6
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid, required
from kube.api.types import ServiceCIDR


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate(new: ServiceCIDR, old: ServiceCIDR | None) -> Iterator[FieldError]:
    blocks = list((new.spec.cidrs if new.spec else None) or ())
    if old is None:
        yield from _blocks(blocks)
        return
    before = list((old.spec.cidrs if old.spec else None) or ())
    if len(blocks) != len(before) and not (len(before) == 1 and len(blocks) == 2):
        yield invalid("spec.cidrs", blocks, validation.IMMUTABLE)
        return
    for index, block in enumerate(before):  # a second one may be added, of the other family
        if blocks[index] != block:
            yield invalid(f"spec.cidrs[{index}]", blocks[index], validation.IMMUTABLE)
    if len(blocks) != len(before):
        yield from _blocks(blocks)


def _blocks(blocks: list[str]) -> Iterator[FieldError]:
    if not blocks:
        yield required("spec.cidrs", "at least one CIDR required")
        return
    if len(blocks) > 2:
        yield invalid("spec.cidrs", {"CIDRs": blocks}, "may only hold up to 2 values")
        return
    for index, block in enumerate(blocks):
        yield from validation.complain(f"spec.cidrs[{index}]", block, cidr_complaints)
    if len(blocks) == 2 and is_ipv6(blocks[0]) == is_ipv6(blocks[1]):
        text = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        yield invalid("spec.cidrs", blocks, text)


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
