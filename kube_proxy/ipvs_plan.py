"""What Services are in IPVS: virtual servers and their real servers; and the commands that lead from what is there to that. Pure.

Every cluster IP, external IP and load balancer address is a virtual server of its port, and every NodePort one on each of the
node's addresses. Session affinity makes a virtual server persistent. What has no endpoint here has no virtual server: the address
is the node's own, so the kernel itself refuses.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-ipvs · upstream pkg/proxy/ipvs/proxier.go
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kube.api.meta import Key
from kube_proxy.rules import PortRule, Target, address_of

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "mh", "fo", "ovf")


class Front(NamedTuple):
    """What a virtual server is known by."""

    protocol: str  # TCP, UDP or SCTP
    address: str
    port: int


class Virtual(NamedTuple):
    scheduler: str
    persistent_seconds: int  # 0: not persistent
    targets: frozenset[Target]
    ours: bool = True  # whether this proxy made it


class Command(NamedTuple):
    """verb: add, set or del of a virtual server; add-target or del-target of one of its real servers."""

    verb: str
    front: Front
    scheduler: str = ""
    persistent_seconds: int = 0
    target: Target | None = None


def wanted(services: Mapping[Key, Sequence[PortRule]], node_addresses: Iterable[str], scheduler: str) -> dict[Front, Virtual]:
    """All virtual servers; where two Services ask for the same one, the first in order has it."""
    found: dict[Front, Virtual] = {}
    for key in sorted(services):
        for rule in services[key]:
            for front, targets in _fronts(rule, node_addresses):
                if targets:
                    found.setdefault(front, Virtual(scheduler, rule.affinity_seconds, frozenset(targets)))
    return found


def _fronts(rule: PortRule, node_addresses: Iterable[str]) -> Iterator[tuple[Front, Sequence[Target]]]:
    yield Front(rule.protocol, rule.cluster_ip, rule.port), rule.internal
    for address in rule.external_ips:
        yield Front(rule.protocol, address, rule.port), rule.external
    for address in node_addresses if rule.node_port else ():
        if address_of(address)[0] == rule.family:
            yield Front(rule.protocol, address, rule.node_port), rule.external


def commands(there: Mapping[Front, Virtual], goal: Mapping[Front, Virtual]) -> list[Command]:
    """In an order in which a virtual server is never without its new endpoints: what comes is first, what goes is last. What
    somebody else made stays, unless a Service needs the very same.
    """
    found = []
    for front, virtual in goal.items():
        old = there.get(front)
        if old is None:
            found.append(Command("add", front, virtual.scheduler, virtual.persistent_seconds))
        elif (old.scheduler, old.persistent_seconds, old.ours) != (virtual.scheduler, virtual.persistent_seconds, virtual.ours):
            found.append(Command("set", front, virtual.scheduler, virtual.persistent_seconds))
        known = old.targets if old is not None else frozenset()
        found += [Command("add-target", front, target=target) for target in sorted(virtual.targets - known)]
        found += [Command("del-target", front, target=target) for target in sorted(known - virtual.targets)]
    found += [Command("del", front) for front, old in there.items() if front not in goal and old.ours]
    return found


def text(goal: Mapping[Front, Virtual]) -> str:
    """As `ipvsadm --save -n` writes it, for people."""
    kinds = {"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service"}
    lines = []
    for front, virtual in sorted(goal.items()):
        at = f"{kinds[front.protocol]} {_shown(front.address, front.port)}"
        persistent = f" -p {virtual.persistent_seconds}" if virtual.persistent_seconds else ""
        lines.append(f"-A {at} -s {virtual.scheduler}{persistent}")
        lines += [f"-a {at} -r {_shown(*target)} -m -w 1" for target in sorted(virtual.targets)]
    return "".join(f"{line}\n" for line in lines)


def _shown(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
