"""Mode ipvs: the kernel's load balancer leads connections; a small table of a packet filter does what it cannot.

The Services' addresses are on the device `kube-ipvs0`, so that connections to them end here, where IPVS takes them. The table, of
nftables or, on a kernel without it, of iptables, is that of `ipvs_guard.py`. Virtual servers that somebody else made stay: ours
carry a mark.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-ipvs · upstream pkg/proxy/ipvs/proxier.go
"""

from collections.abc import Sequence
from pathlib import Path

from kube.api.meta import Key
from kube_proxy import addresses, iptables_mode, ipvs_kernel, ipvs_plan, nftables_mode
from kube_proxy.addresses import IPVS_DEVICE
from kube_proxy.iptables_mode import IptablesMode
from kube_proxy.ipvs_guard import guard_lines, guard_slots
from kube_proxy.ipvs_plan import Front, Virtual
from kube_proxy.layout import Settings
from kube_proxy.mode import Mode, to_its_end
from kube_proxy.rules import PortRule

SETTINGS = Path("/proc/sys/net/ipv4/vs")
SYSCTLS = {  # name: what we need, what a kernel starts with
    "conntrack": ("1", "0"),  # so that masquerading sees IPVS's connections
    "conn_reuse_mode": ("0", "1"),
    "expire_nodest_conn": ("1", "0"),  # UDP flows leave an endpoint that is gone
    "expire_quiescent_template": ("1", "0"),
}


class IpvsMode:
    def __init__(self, families: Sequence[Settings], scheduler: str) -> None:
        self._settings = families
        self._families = {f"IPv{one.family.loopback.version}" for one in families}
        self._scheduler = scheduler or ipvs_plan.SCHEDULERS[0]
        self._services: dict[Key, Sequence[PortRule]] = {}
        self._held: dict[Front, Virtual] = {}
        self._guard: Mode = (
            IptablesMode(families, guard_lines) if nftables_mode.missing() else nftables_mode.NftablesMode(families, guard_slots)
        )

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        self._guard.take(service, rules)
        mine = [rule for rule in rules if rule.family in self._families]
        if mine:
            self._services[service] = mine
        else:
            self._services.pop(service, None)

    async def sync(self, *, whole: bool) -> None:
        await self._guard.sync(whole=whole)
        await to_its_end(self._put, whole)

    async def intact(self) -> bool:
        return await self._guard.intact() and self._held == await to_its_end(_ours)

    async def close(self) -> None:
        await self._guard.close()

    def _put(self, whole: bool) -> None:
        own, on_node = addresses.of_services(self._services), addresses.of_node(self._settings)
        goal = ipvs_plan.wanted(self._services, sorted(on_node), self._scheduler)
        there = ipvs_kernel.observed() if whole else self._held
        if whole:
            _set_sysctls(0)
        if whole or {front.address for front in goal} - {front.address for front in self._held} or len(goal) < len(self._held):
            addresses.put(IPVS_DEVICE, own)
        ipvs_kernel.carry_out(ipvs_plan.commands(there, goal))
        self._held = goal


def _ours() -> dict[Front, Virtual]:
    return {front: virtual for front, virtual in ipvs_kernel.observed().items() if virtual.ours}


def _set_sysctls(which: int) -> None:
    for name, values in SYSCTLS.items():
        if (SETTINGS / name).exists():
            (SETTINGS / name).write_text(values[which])


def missing() -> str:
    """Why this host cannot have the mode; empty: it can. Blocks."""
    if not ipvs_kernel.there():
        return "the kernel has no IPVS (module ip_vs)"
    without = nftables_mode.missing()
    return f"{without}; {iptables_mode.missing()}" if without and iptables_mode.missing() else ""


def clean_up() -> None:
    """Remove the device, and the virtual servers that are ours; the table is another mode's. Blocks."""
    there = _ours() if SETTINGS.exists() else {}
    if there or addresses.held(IPVS_DEVICE):
        ipvs_kernel.carry_out(ipvs_plan.commands(there, {}))
        _set_sysctls(1)
    addresses.remove(IPVS_DEVICE)
