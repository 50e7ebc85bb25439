"""Modes: which there are, which of them this host can have, and how one takes the place of another.

A mode whose means the kernel or the host lacks is refused at the start, with the reason and the modes that would do. A mode that
starts removes what the others left, so that a connection is led by one set of rules.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kube.component.run import StartupError
from kube_proxy import iptables_mode, ipvs_mode, ipvs_plan, nftables_mode, userspace_mode
from kube_proxy.config import Config
from kube_proxy.layout import Settings
from kube_proxy.mode import Mode
from kube_proxy.nft_expression import IPV4, IPV6, Family

DEFAULT = "nftables"
IPV6_ADDRESSES = Path("/proc/net/if_inet6")


@dataclass(frozen=True)
class Entry:
    make: Callable[[Config, Sequence[Settings]], Mode]
    missing: Callable[[], str]  # why this host cannot have it; empty: it can
    clean_up: Callable[[], None]


MODES = {
    "nftables": Entry(lambda _, families: nftables_mode.NftablesMode(families), nftables_mode.missing, nftables_mode.clean_up),
    "iptables": Entry(lambda _, families: iptables_mode.IptablesMode(families), iptables_mode.missing, iptables_mode.clean_up),
    "ipvs": Entry(
        lambda config, families: ipvs_mode.IpvsMode(families, config.ipvs_scheduler), ipvs_mode.missing, ipvs_mode.clean_up
    ),
    "userspace": Entry(lambda _, families: userspace_mode.UserspaceMode(families), userspace_mode.missing, userspace_mode.clean_up),
}


def chosen(config: Config, families: Sequence[Settings]) -> Mode:
    """The mode asked for, the others' rules removed. Raises StartupError. Blocks."""
    name = config.proxy_mode or DEFAULT
    if name not in MODES:
        raise StartupError(f"--proxy-mode={name} is not supported: use one of {', '.join(MODES)}")
    if config.ipvs_scheduler not in ("", *ipvs_plan.SCHEDULERS):
        raise StartupError(f"--ipvs-scheduler={config.ipvs_scheduler} does not exist: use one of {', '.join(ipvs_plan.SCHEDULERS)}")
    why = MODES[name].missing()
    if why:
        others = ", ".join(other for other, entry in MODES.items() if other != name and not entry.missing())
        raise StartupError(f"--proxy-mode={name} cannot be had here: {why}; this host has: {others or 'none'}")
    for other, entry in MODES.items():
        if other != name and not (name == "ipvs" and other == "nftables"):  # whose table is then the guard's, made anew
            entry.clean_up()
    return MODES[name].make(config, families)


def families() -> list[Family]:
    """The families of addresses that this host has."""
    return [IPV4, IPV6] if IPV6_ADDRESSES.exists() else [IPV4]


def clean_up() -> None:
    """Remove what any mode left. Blocks."""
    for entry in MODES.values():
        entry.clean_up()
