"""Mode ipvs: the kernel's load balancer leads connections; a small nftables table does what it cannot.

The Services' addresses are on the device `kube-ipvs0`, so that connections to them end here, where IPVS takes them. The table
marks what must be masqueraded, keeps loadBalancerSourceRanges, drops what only other nodes serve (policy Local), and turns a pod's
connection to itself. Virtual servers on other addresses are somebody else's and stay.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-ipvs · upstream pkg/proxy/ipvs/proxier.go
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from kube.api.meta import Key
from kube_proxy import addresses, ipvs_kernel, ipvs_plan, nftables_mode
from kube_proxy import nft_expression as nft
from kube_proxy.addresses import IPVS_DEVICE
from kube_proxy.ipvs_plan import Front, Virtual
from kube_proxy.layout import DROP, Settings, Slot, Value, Verdict, masquerade_external, masquerade_internal, slots
from kube_proxy.mode import to_its_end
from kube_proxy.rules import PortRule

SETTINGS = Path("/proc/sys/net/ipv4/vs")
SYSCTLS = {  # name: what we need, what a kernel starts with
    "conntrack": ("1", "0"),  # so that masquerading sees IPVS's connections
    "conn_reuse_mode": ("0", "1"),
    "expire_nodest_conn": ("1", "0"),  # UDP flows leave an endpoint that is gone
    "expire_quiescent_template": ("1", "0"),
}
KEPT = ("hairpin", "firewall-ips")


class IpvsMode:
    def __init__(self, families: Sequence[Settings], scheduler: str) -> None:
        self._settings = families
        self._families = {f"IPv{one.family.loopback.version}" for one in families}
        self._scheduler = scheduler or ipvs_plan.SCHEDULERS[0]
        self._services: dict[Key, Sequence[PortRule]] = {}
        self._held: dict[Front, Virtual] = {}
        self._guard = nftables_mode.NftablesMode(families, guard_slots)

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
        return await self._guard.intact() and self._held == await to_its_end(_ours, {front.address for front in self._held})

    async def close(self) -> None:
        await self._guard.close()

    def _put(self, whole: bool) -> None:
        own, on_node = addresses.of_services(self._services), addresses.of_node(self._settings)
        goal = ipvs_plan.wanted(self._services, sorted(on_node), self._scheduler)
        there = _ours(own | on_node | addresses.held(IPVS_DEVICE)) if whole else self._held
        if whole:
            _set_sysctls(0)
        if whole or {front.address for front in goal} - {front.address for front in self._held} or len(goal) < len(self._held):
            addresses.put(IPVS_DEVICE, own)
        ipvs_kernel.carry_out(ipvs_plan.commands(there, goal))
        self._held = goal


def guard_slots(rules: Sequence[PortRule], settings: Settings) -> Mapping[Slot, Value]:
    """What of a Service is in the table: a part of what mode nftables has, and marks in place of endpoints. Pure."""
    found: dict[Slot, Value] = {}
    for slot, value in slots(rules, settings).items():
        if slot.name in KEPT or slot.name.startswith("firewall-") or (slot.name.startswith("no-endpoint-") and value == DROP):
            found[slot] = value
    for rule in rules:
        protocol = rule.protocol.lower()
        fronts: list[tuple[str, str, tuple[str | int, ...]]]
        fronts = [("cluster", "service-ips", (rule.cluster_ip, protocol, rule.port))] if rule.internal else []
        if rule.external and not rule.external_local:
            fronts += [("external", "service-ips", (address, protocol, rule.port)) for address in rule.external_ips]
            fronts += [("external", "node-ports", (protocol, rule.node_port))] if rule.node_port else []
        for kind, name, key in fronts:
            marks = masquerade_external() if kind == "external" else masquerade_internal(settings)
            if marks:
                found[Slot("chain", f"ipvs-{kind}")] = marks
                found[Slot("element", name, key)] = Verdict(nft.GOTO, f"ipvs-{kind}")
    return found


def _ours(on: Collection[str]) -> dict[Front, Virtual]:
    return {front: virtual for front, virtual in ipvs_kernel.observed().items() if front.address in on}


def _set_sysctls(which: int) -> None:
    for name, values in SYSCTLS.items():
        if (SETTINGS / name).exists():
            (SETTINGS / name).write_text(values[which])


def missing() -> str:
    """Why this host cannot have the mode; empty: it can. Blocks."""
    return nftables_mode.missing() if ipvs_kernel.there() else "the kernel has no IPVS (module ip_vs)"


def clean_up() -> None:
    """Remove the device, and the virtual servers on its addresses and the node's; the table is mode nftables'. Blocks."""
    own = addresses.held(IPVS_DEVICE)
    if own:
        there = _ours(own | addresses.of_node([Settings()]))
        ipvs_kernel.carry_out(ipvs_plan.commands(there, {}))
        _set_sysctls(1)
    addresses.remove(IPVS_DEVICE)
