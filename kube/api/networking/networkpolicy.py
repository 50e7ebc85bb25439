"""NetworkPolicy: which traffic pods let in and out (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Any

from kube.api import names, validation
from kube.api.columns import AGE, plain, selector_text
from kube.api.meta import Tree
from kube.api.network_address import CIDR_TEXT, cidr_complaints, without_leading_zeros
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.types import IPBlock, NetworkPolicy, NetworkPolicyPort

PROTOCOLS, TYPES = ("TCP", "UDP", "SCTP"), ("Ingress", "Egress")


def set_defaults(tree: Tree) -> None:
    """A policy is about ingress, and about egress where it has rules for it."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")


def validate(new: NetworkPolicy, old: NetworkPolicy | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.selector_errors(spec.podSelector, "spec.podSelector")
    for index, inward in enumerate(spec.ingress or ()):
        yield from _rule(inward.ports, inward.from_, f"spec.ingress[{index}]", "from")
    for index, outward in enumerate(spec.egress or ()):
        yield from _rule(outward.ports, outward.to, f"spec.egress[{index}]", "to")
    if len(spec.policyTypes or ()) > len(TYPES):
        yield invalid("spec.policyTypes", list(spec.policyTypes), "may not specify more than two policyTypes")
        return
    for index, type in enumerate(spec.policyTypes or ()):
        if type not in TYPES:
            yield unsupported(f"spec.policyTypes[{index}]", type, TYPES)


def _rule(ports: Iterable[NetworkPolicyPort] | None, peers: Any, at: str, field: str) -> Iterator[FieldError]:
    for index, port in enumerate(ports or ()):
        yield from _port(port, f"{at}.ports[{index}]")
    for index, peer in enumerate(peers or ()):
        place = f"{at}.{field}[{index}]"
        selectors = [name for name in ("podSelector", "namespaceSelector") if getattr(peer, name) is not None]
        for name in selectors:
            yield from validation.selector_errors(getattr(peer, name), f"{place}.{name}")
        if peer.ipBlock is not None:
            yield from _block(peer.ipBlock, f"{place}.ipBlock")
        if not selectors and peer.ipBlock is None:
            yield required(place, "must specify a peer")
        if selectors and peer.ipBlock is not None:
            yield forbidden(place, "may not specify both ipBlock and another peer")


def _port(port: NetworkPolicyPort, at: str) -> Iterator[FieldError]:
    if port.protocol is not None and port.protocol not in PROTOCOLS:
        yield unsupported(f"{at}.protocol", port.protocol, PROTOCOLS)
    end = port.endPort
    if isinstance(port.port, int):
        yield from validation.port(f"{at}.port", port.port)
        if end is not None and end < port.port:
            yield invalid(f"{at}.endPort", end, "must be greater than or equal to `port`")
        yield from validation.port(f"{at}.endPort", end)
    elif port.port is not None:
        if end is not None:
            yield invalid(f"{at}.endPort", end, "may not be specified when `port` is non-numeric")
        yield from validation.complain(f"{at}.port", port.port, names.port_name)
    elif end is not None:
        yield invalid(f"{at}.endPort", end, "may not be specified when `port` is not specified")


def _block(block: IPBlock, at: str) -> Iterator[FieldError]:
    if not block.cidr:
        yield required(f"{at}.cidr")
        return
    yield from validation.complain(f"{at}.cidr", block.cidr, cidr_complaints)
    for index, exception in enumerate((block.except_ or ()) if CIDR_TEXT not in cidr_complaints(block.cidr) else ()):
        place = f"{at}.except[{index}]"
        yield from validation.complain(place, exception, cidr_complaints)
        if CIDR_TEXT not in cidr_complaints(exception) and not _within(exception, block.cidr):
            yield invalid(place, exception, "must be a strict subset of `cidr`")


def _within(inner: str, outer: str) -> bool:
    one, other = (ip_network(without_leading_zeros(text), strict=False) for text in (inner, outer))
    return one.version == other.version and one != other and one.subnet_of(other)  # type: ignore[arg-type]


RESOURCE = Resource(
    view=NetworkPolicy,
    group="networking.k8s.io",
    version="v1",
    kind="NetworkPolicy",
    plural="networkpolicies",
    short_names=("netpol",),
    set_defaults=set_defaults,
    validate=validate,
    columns=(plain("Pod-Selector", lambda policy: selector_text(policy.spec.podSelector)), AGE),
)
