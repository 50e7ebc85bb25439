"""Addresses on a device of our own, so that connections to Services end on this node; and the addresses NodePorts are on.

For the modes that need them: userspace listens on them, IPVS takes what comes in for them. A bridge without ports carries them, as
not every kernel has dummy devices. Every method blocks.
"""

import errno
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from kube.api.meta import Key
from kube_proxy.layout import Settings
from kube_proxy.mode import Refused
from kube_proxy.rules import PortRule
from kube_proxy.service_route import DEVICE as ROUTE_DEVICE

IPVS_DEVICE = "kube-ipvs0"
USERSPACE_DEVICE = "kube-userspace0"


def of_services(services: Mapping[Key, Sequence[PortRule]]) -> set[str]:
    """Every address that Services have, save NodePorts'. Pure."""
    return {address for rules in services.values() for rule in rules for address in (rule.cluster_ip, *rule.external_ips)}


def of_node(families: Iterable[Settings]) -> set[str]:
    """This node's own addresses that NodePorts are on: within --nodeport-addresses, or all but the loopback's."""
    with IPRoute() as ipr:
        ours = {index for name in (ROUTE_DEVICE, IPVS_DEVICE, USERSPACE_DEVICE) for index in ipr.link_lookup(ifname=name)}
        known = {one.get_attr("IFA_LOCAL") or one.get_attr("IFA_ADDRESS") for one in ipr.get_addr() if one["index"] not in ours}
    found = set()
    for settings in families:
        for address in map(ip_address, known):
            if address.version != settings.family.loopback.version or address.is_link_local or address.is_loopback:
                continue
            if not settings.node_port_addresses or any(address in network for network in settings.node_port_addresses):
                found.add(str(address))
    return found


def put(device: str, wanted: set[str]) -> None:
    """Exactly these on the device, which is made for the first of them. Raises Refused."""
    try:
        with IPRoute() as ipr:
            index = _index(ipr, device, make=bool(wanted))
            if index is None:
                return
            there = _held(ipr, index)
            for address in wanted - there:
                ipr.addr("add", index=index, address=address, prefixlen=_bits(address))
            for address in there - wanted:
                ipr.addr("del", index=index, address=address, prefixlen=_bits(address))
    except NetlinkError as error:
        raise Refused(f"addresses of {device}: {error}") from error


def held(device: str) -> set[str]:
    """What is on the device now."""
    with IPRoute() as ipr:
        index = _index(ipr, device, make=False)
        return _held(ipr, index) if index is not None else set()


def remove(device: str) -> None:
    """Delete the device; one that is not there is no error."""
    with IPRoute() as ipr:
        try:
            ipr.link("del", ifname=device)
        except NetlinkError as error:
            if error.code != errno.ENODEV:
                raise


def _index(ipr: IPRoute, device: str, *, make: bool) -> int | None:
    found = ipr.link_lookup(ifname=device)
    if not found and make:
        ipr.link("add", ifname=device, kind="bridge")
        found = ipr.link_lookup(ifname=device)
        ipr.link("set", index=found[0], state="up")
    return int(found[0]) if found else None


def _held(ipr: IPRoute, index: int) -> set[str]:
    """Those for one host: the device's own link-local one is not a Service's."""
    known = {(one.get_attr("IFA_ADDRESS"), one["prefixlen"]) for one in ipr.get_addr(index=index)}
    return {address for address, bits in known if bits == _bits(address)}


def _bits(address: str) -> int:
    return 128 if ":" in address else 32
