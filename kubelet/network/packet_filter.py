"""Packet filter: the pod network's table in nftables, and leave to forward beside other people's firewalls.

A drop in any base chain is final, so an accept of ours does not help against a FORWARD chain that drops, as Docker's does: the
accept has to stand in that chain. In DOCKER-USER, where Docker made it (it leaves that chain to its users), else at the head of
FORWARD if there is anything in FORWARD. The policy stays as it is, and nobody else's rules are read or flushed. Where Docker
comes after us it finds forwarding switched on, and then leaves the policy at ACCEPT.
Every call runs the host's own program and blocks.
https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

from kube.component.logging import get_logger
from kubelet.network import rules
from kubelet.network.rules import TABLE
from kubelet.pod_network import HostPort, NetworkFailure

log = get_logger(__name__)

ENVIRONMENT = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "LC_ALL": "C"}
COMMENT = "skiff pod network"
PROGRAM_SECONDS = 30.0  # far more than any of them takes
NOT_FOUND, TIMED_OUT = 127, 124  # exit codes, as a shell and timeout(1) give them


def apply(text: str) -> None:
    """Apply nft commands, all or none. Raises NetworkFailure with nft's own words."""
    done = _run(["nft", "-f", "-"], text)
    if done.returncode != 0:
        raise NetworkFailure(f"nft: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else 'failed'}")


def table_exists(name: str = TABLE) -> bool:
    return _run(["nft", "list", "table", "ip", name]).returncode == 0


def delete_table(name: str = TABLE) -> None:
    """Delete a table of ours; one that is not there is no error."""
    if table_exists(name):
        apply(f"delete table ip {name}\n")


def host_ports_by_address() -> dict[IPv4Address, list[HostPort]]:
    """What the table's maps hold, by the address that the ports lead to."""
    found: dict[IPv4Address, list[HostPort]] = {}
    for name in ("host-ports", "host-ip-ports"):
        listed = _run(["nft", "-j", "-n", "list", "map", "ip", TABLE, name])
        for entry in json.loads(listed.stdout)["nftables"] if listed.returncode == 0 else ():
            for key, value in (entry.get("map") or {}).get("elem", ()):
                address, port = _host_port(key["concat"], value["concat"])
                found.setdefault(address, []).append(port)
    return found


def _host_port(key: Sequence[Any], value: Sequence[Any]) -> tuple[IPv4Address, HostPort]:
    *host_ip, protocol, host_port = key
    name = {6: "TCP", 17: "UDP", 132: "SCTP"}.get(protocol) or str(protocol).upper()
    return IPv4Address(value[0]), HostPort("".join(host_ip), int(host_port), int(value[1]), name)


def delete_host_ports(ports: Sequence[HostPort]) -> None:
    """Lead host ports nowhere; those that lead nowhere already, as after somebody flushed the rules, are no error."""
    if _run(["nft", "-f", "-"], rules.delete_host_ports(ports)).returncode != 0:
        for port in ports:
            _run(["nft", "-f", "-"], rules.delete_host_ports([port]))


def forget_udp_flows(ports: Sequence[HostPort]) -> None:
    """Flows to these ports that still lead elsewhere: a UDP client would follow its old one for ever."""
    for port in ports:
        if port.protocol == "UDP":
            _run(["conntrack", "-D", "-p", "udp", "--orig-port-dst", str(port.host_port)])


def allow_forwarding(bridge: str) -> None:
    """Let the bridge's traffic pass; does nothing where no other firewall forwards."""
    chain = _foreign_chain()
    for rule in _forwarding_rules(bridge) if chain else ():
        if _iptables("-C", chain, *rule).returncode == 0:
            continue
        done = _iptables("-I", chain, *rule)
        if done.returncode != 0:
            log.warning(
                "cannot allow forwarding: other firewall rules may drop pod traffic", chain=chain, reason=done.stderr.strip()
            )


def withdraw_forwarding(bridge: str) -> None:
    """Take the rules of `allow_forwarding` out again, wherever they stand."""
    for chain in ("DOCKER-USER", "FORWARD"):
        for rule in _forwarding_rules(bridge):
            while _iptables("-C", chain, *rule).returncode == 0 and _iptables("-D", chain, *rule).returncode == 0:
                pass


def _forwarding_rules(bridge: str) -> Sequence[tuple[str, ...]]:
    marked = ("-m", "comment", "--comment", COMMENT, "-j", "ACCEPT")
    return (("-i", bridge, *marked), ("-o", bridge, *marked))


def _foreign_chain() -> str:
    """The chain that decides about forwarding, or nothing: no iptables, or an empty FORWARD that accepts."""
    if _iptables("-S", "DOCKER-USER").returncode == 0:
        return "DOCKER-USER"
    forward = _iptables("-S", "FORWARD")
    if forward.returncode != 0 or forward.stdout.split("\n")[:2] == ["-P FORWARD ACCEPT", ""]:
        return ""
    return "FORWARD"


def _iptables(*words: str) -> subprocess.CompletedProcess[str]:
    return _run(["iptables", "-w", "5", *words])  # seconds that it waits for whoever changes the rules just now


def _run(argv: Sequence[str], text: str = "", environment: Mapping[str, str] = ENVIRONMENT) -> subprocess.CompletedProcess[str]:
    """A program's result; one that is not installed, or hangs, has failed."""
    try:
        return subprocess.run(argv, input=text, capture_output=True, text=True, env=environment, timeout=PROGRAM_SECONDS)
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(argv), NOT_FOUND, "", f"{argv[0]}: not found")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(list(argv), TIMED_OUT, "", f"{argv[0]}: no answer within {PROGRAM_SECONDS:.0f} s")
