"""IPVS of the kernel, by generic netlink: what is there, and commands of the plan. Every method blocks.

include/uapi/linux/ip_vs.h
"""

import errno
import socket
import struct
from collections.abc import Iterable
from typing import Any

from pyroute2.ipvs import IPVS, IPVSDest, IPVSService
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.generic import GenericNetlinkSocket
from pyroute2.netlink.generic.ipvs import GENL_NAME, ipvsmsg

from kube_proxy.ipvs_plan import Command, Front, Virtual
from kube_proxy.mode import Refused
from kube_proxy.rules import Target

PROTOCOLS = {"TCP": socket.IPPROTO_TCP, "UDP": socket.IPPROTO_UDP, "SCTP": socket.IPPROTO_SCTP}
PERSISTENT = 0x1  # IP_VS_SVC_F_PERSISTENT
OURS = 0x40000000  # none of the kernel's flags: it keeps and shows it, and so we know our virtual servers from other people's
IPV6_BITS = 128
MASQUERADE = 0  # IP_VS_CONN_F_MASQ: the forwarding method that changes the destination
LEAVING = (errno.ENOENT, errno.ESRCH)


def there() -> bool:
    """Whether the kernel has IPVS; asking makes it load the module."""
    with GenericNetlinkSocket() as generic:
        try:
            generic.bind(GENL_NAME, ipvsmsg)
        except NetlinkError:
            return False
    return True


def observed() -> dict[Front, Virtual]:
    """Every virtual server of this network namespace, ours and others'."""
    found = {}
    with IPVS() as ipvs:
        for message in ipvs.service("dump"):
            told = message.get_attr("IPVS_CMD_ATTR_SERVICE")
            if told.get_attr("IPVS_SVC_ATTR_FWMARK"):
                continue  # somebody else's: ours are by address
            protocol = next((name for name, number in PROTOCOLS.items() if number == told.get_attr("IPVS_SVC_ATTR_PROTOCOL")), "")
            front = Front(protocol, told.get_attr("IPVS_SVC_ATTR_ADDR"), told.get_attr("IPVS_SVC_ATTR_PORT"))
            flags = told.get_attr("IPVS_SVC_ATTR_FLAGS")["flags"]
            seconds = told.get_attr("IPVS_SVC_ATTR_TIMEOUT") if flags & PERSISTENT else 0
            scheduler = told.get_attr("IPVS_SVC_ATTR_SCHED_NAME")
            found[front] = Virtual(scheduler, seconds, _targets(ipvs, front), ours=bool(flags & OURS))
    return found


def carry_out(todo: Iterable[Command]) -> None:
    """Raises Refused at the first command that the kernel does not take."""
    with IPVS() as ipvs:
        for command in todo:
            try:
                _carry_out(ipvs, command)
            except NetlinkError as error:
                if not (command.verb.startswith("del") and error.code in LEAVING):
                    raise Refused(f"ipvs: {command}: {error}") from error


def _carry_out(ipvs: Any, command: Command) -> None:
    service = _service(command.front, command.scheduler, command.persistent_seconds)
    if command.target is None:
        ipvs.service(command.verb, service=service)
    else:
        verb = command.verb.removesuffix("-target")
        target = IPVSDest(addr=command.target.address, port=command.target.port, fwd_method=MASQUERADE)
        ipvs.dest(verb, service=service, dest=target)


def _targets(ipvs: Any, front: Front) -> frozenset[Target]:
    told = (message.get_attr("IPVS_CMD_ATTR_DEST") for message in ipvs.dest("dump", service=_service(front)))
    return frozenset(Target(one.get_attr("IPVS_DEST_ATTR_ADDR"), one.get_attr("IPVS_DEST_ATTR_PORT")) for one in told)


def _service(front: Front, scheduler: str = "rr", persistent_seconds: int = 0) -> Any:
    service = IPVSService(addr=front.address, port=front.port, protocol=PROTOCOLS[front.protocol], sched_name=scheduler or "rr")
    service["timeout"] = persistent_seconds
    service["flags"] = {"flags": OURS | (PERSISTENT if persistent_seconds else 0), "mask": 0xFFFFFFFF}
    if ":" in front.address:
        service["netmask"] = socket.inet_ntoa(struct.pack("=I", IPV6_BITS))  # the kernel reads a number of bits
    return service
