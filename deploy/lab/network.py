"""The lab's network: a bridge in a namespace of its own, and each host's namespace with one link to it.

A cut between two hosts is an nftables rule on the bridge, so neither sees its link go down: as when a switch fails between them.
https://wiki.nftables.org/wiki-nftables/index.php/Bridge_filtering
"""

import os
import subprocess
from pathlib import Path

from deploy.cluster import Cluster
from deploy.host import LAST_RESORT, PATH
from deploy.lab.plan import NETWORK, Lab, port_name
from deploy.progress import StepFailed

BRIDGE, LINK = "lab0", "eth0"
NAMESPACES = Path("/run/netns")
CUTS = ("bridge", "lab-cuts")  # family and table


def add_bridge(lab: Lab) -> None:
    """The namespace with the bridge, a table for cuts, and a name for this process' own network; what is there stays."""
    if (NAMESPACES / lab.bridge_netns).exists():
        return
    _run("ip", "netns", "attach", lab.outside_netns, str(os.getpid()))
    _run("ip", "netns", "add", lab.bridge_netns)
    _in(lab.bridge_netns, "ip", "link", "add", BRIDGE, "type", "bridge")
    _in(lab.bridge_netns, "ip", "link", "set", BRIDGE, "up")
    _in(lab.bridge_netns, "nft", "add", "table", *CUTS)
    _in(lab.bridge_netns, "nft", "add", "chain", *CUTS, "forward", "{ type filter hook forward priority 0; }")


def add_host(lab: Lab, host: Cluster) -> None:
    """A namespace with loopback, one link, an address, and no way to pods or Services but those that its programs make."""
    if (NAMESPACES / host.netns).exists():
        return
    port = port_name(host)
    _in(lab.bridge_netns, "ip", "link", "del", port, check=False)  # of a host just switched off: the kernel may be at it still
    _run("ip", "netns", "add", host.netns)
    _in(host.netns, "ip", "link", "add", LINK, "type", "veth", "peer", "name", port, "netns", lab.bridge_netns)
    _in(lab.bridge_netns, "ip", "link", "set", port, "master", BRIDGE, "up")
    _in(host.netns, "ip", "addr", "add", f"{host.node_ip}/{NETWORK.prefixlen}", "dev", LINK)
    for link in ("lo", LINK):
        _in(host.netns, "ip", "link", "set", link, "up")
    for destination in (host.pod_cidr, host.service_cidr):
        _in(host.netns, "ip", "route", "add", "unreachable", destination, "metric", str(LAST_RESORT))


def remove(netns: str) -> None:
    """A namespace with all that is in it; none is no error."""
    if (NAMESPACES / netns).exists():
        _run("ip", "netns", "del", netns)


def cut(lab: Lab, one: Cluster, other: Cluster) -> None:
    """No packet passes between these two, either way."""
    for source, target in ((one, other), (other, one)):
        _in(lab.bridge_netns, "nft", "add", "rule", *CUTS, "forward", *_passing(source, target), "drop")


def heal(lab: Lab) -> None:
    """All cuts are mended."""
    _in(lab.bridge_netns, "nft", "flush", "chain", *CUTS, "forward")


def _passing(source: Cluster, target: Cluster) -> tuple[str, ...]:
    return ("iifname", port_name(source), "oifname", port_name(target))


def _in(netns: str, *command: str, check: bool = True) -> None:
    _run("nsenter", f"--net={NAMESPACES / netns}", *command, check=check)


def _run(*command: str, check: bool = True) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": PATH})
    if check and done.returncode != 0:
        raise StepFailed(
            f"{' '.join(command)}: {done.stderr.strip()}", "the lab needs root and a kernel with veth, bridge, nftables"
        )
