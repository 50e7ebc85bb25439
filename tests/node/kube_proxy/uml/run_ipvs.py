"""Runs as the first process of a user-mode Linux: mode ipvs as a whole, with real packets. Prints lines of JSON.

The kernel inside has IPVS and iptables, and no nftables for IPv4, so the table beside IPVS is iptables'. The pods `a` and `b` and
the `outsider` are network namespaces with a way of their own to the node; a thread enters one to serve or to ask there.
Arguments: the directory with the kernel's modules.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from pyroute2.ipvs import IPVS, IPVSDest, IPVSService

from kube.api.meta import key_of
from kube.api.types import Service
from kube_proxy import addresses, ipvs_kernel, ipvs_mode, ipvs_plan, modes
from kube_proxy.config import Config
from kube_proxy.layout import Settings
from kube_proxy.mode import Mode
from kube_proxy.rules import rules
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice, an_endpoint

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "sh", "dh", "sed", "nq")
MODULES = (
    "dummy", "stp", "llc", "bridge", "veth", "ip_vs", *(f"ip_vs_{name}" for name in SCHEDULERS),
    "ip_tables", "iptable_nat", "iptable_filter", "xt_MASQUERADE", "xt_mark", "xt_comment", "xt_conntrack", "xt_addrtype",
    "xt_tcpudp", "ipt_REJECT",
)  # fmt: skip
PATIENCE_SECONDS = 3.0
FINIT_MODULE, CLONE_NEWNET = 313, 0x40000000
VIP, FOREIGN, BALANCER, NODE, GATEWAY, NODE_PORT = "10.96.0.10", "10.99.0.1", "203.0.113.7", "192.0.2.10", "10.244.1.1", 30080
PODS = {"a": "10.244.1.2", "b": "10.244.1.3", "outsider": "192.0.2.20"}
SETTINGS = Settings(IPv4Network("10.244.0.0/16"), IPv4Network("10.96.0.0/16"))
LIBC = ctypes.CDLL(None, use_errno=True)


def load(directory: Path, name: str) -> None:
    """A module, after those it needs."""
    lines = (line.split(":") for line in (directory / "modules.dep").read_text().splitlines())
    needs = {Path(path).stem: [path, *more.split()] for path, more in lines}
    for path in reversed(needs[name]):
        with (directory / path).open("rb") as module:
            LIBC.syscall(FINIT_MODULE, module.fileno(), b"", 0)


def run(line: str) -> str:
    return subprocess.run(["sh", "-ec", line], check=True, capture_output=True, text=True).stdout


def inside(name: str, act: Callable[[], Any]) -> Any:
    """Do something in a namespace; on the node without a name."""
    if not name:
        return act()

    def there() -> Any:
        with open(f"/run/netns/{name}") as namespace:
            LIBC.setns(namespace.fileno(), CLONE_NEWNET)
        return act()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(there).result()


def make_world() -> None:
    run("ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward")
    for name, address in PODS.items():
        gateway = NODE if name == "outsider" else GATEWAY
        run(f"""ip netns add {name}; ip link add to-{name} type veth peer name eth0 netns {name}
            ip link set to-{name} up; ip addr add {gateway}/32 dev to-{name}
            ip route add {address} dev to-{name}; ip -n {name} link set lo up; ip -n {name} addr add {address}/32 dev eth0
            ip -n {name} link set eth0 up; ip -n {name} route add {gateway} dev eth0
            ip -n {name} route add default via {gateway} dev eth0""")
    for name in ("a", "b"):
        inside(name, partial(serve, name))


def serve(name: str) -> None:
    """Answer by TCP, on connections that stay until the client leaves, and by UDP: who serves, and who is seen to ask."""
    server, datagrams = socket.create_server(("", 8080), backlog=64), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("", 8080))

    def answer(connection: socket.socket, peer: str) -> None:
        with connection:
            connection.sendall(f"{name} {peer}".encode())
            connection.recv(1)

    def streams() -> None:
        while True:
            connection, peer = server.accept()
            threading.Thread(target=answer, args=(connection, peer[0]), daemon=True).start()

    def messages() -> None:
        while True:
            _, peer = datagrams.recvfrom(100)
            datagrams.sendto(f"{name} {peer[0]}".encode(), peer)

    for work in (streams, messages):
        threading.Thread(target=work, daemon=True).start()


def ask(address: str = VIP, port: int = 80, *, by: str = "", times: int = 1, hold: bool = False) -> list[str]:
    """Answers by TCP; an error's name where there is none. `hold`: the connections stay until the last one is there."""

    def act() -> list[str]:
        told = []
        with contextlib.ExitStack() as held:
            for _ in range(times):
                try:
                    connection = socket.create_connection((address, port), timeout=PATIENCE_SECONDS)
                except OSError as error:
                    told.append(type(error).__name__)
                    continue
                held.callback(connection.close)
                told.append(connection.recv(100).decode())
                if not hold:
                    held.close()
        return told

    found: list[str] = inside(by, act)
    return found


def ask_udp(by: str) -> str:
    def act() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(PATIENCE_SECONDS)
            asker.sendto(b"?", (VIP, 53))
            return asker.recv(100).decode()

    return str(inside(by, act))


def tell(what: str, value: object) -> None:
    print(json.dumps({what: value}), flush=True)


def follow(mode: Mode, service: Service, *endpoints: Any, protocol: str = "TCP") -> None:
    slices = [a_slice(*endpoints, protocol=protocol, service=service.metadata.name)] if endpoints else []
    mode.take(key_of(service), rules(service, slices, HERE))
    asyncio.run(mode.sync(whole=False))


def tell_of_the_default() -> None:
    """Cluster IPs by TCP and UDP, affinity, refusals, what comes from outside."""
    mode = modes.chosen(Config(proxy_mode="ipvs"), [SETTINGS])
    asyncio.run(mode.sync(whole=True))
    both = (PODS["a"], PODS["b"])
    follow(mode, a_service(), *both)
    tell("rr", ipvs_plan.text(ipvs_kernel.observed()))
    tell("rr answers", ask(times=6))
    tell("pod answers", ask(by="a", times=2))  # one of them is the pod itself
    follow(mode, a_service("dns", VIP, a_port(53, protocol="UDP")), PODS["b"], protocol="UDP")
    tell("udp answer", ask_udp("a"))
    follow(mode, a_service(sessionAffinity="ClientIP"), *both)
    tell("sticky", ipvs_plan.text(ipvs_kernel.observed()).splitlines()[0])
    tell("sticky answers", ask(times=6))
    follow(mode, a_service(), PODS["a"])
    tell("one answers", ask(times=3))
    follow(mode, a_service())
    tell("nobody answers", ask(by="b") + ask())
    port = a_port(80, node_port=NODE_PORT)
    follow(mode, a_service("web", VIP, port, balancer=(BALANCER,)), PODS["a"])
    tell("outside answers", ask(NODE, NODE_PORT, by="outsider") + ask(BALANCER, by="outsider"))
    local = a_service("web", VIP, port, balancer=(BALANCER,), externalTrafficPolicy="Local")
    follow(mode, local, PODS["a"])
    tell("local answers", ask(NODE, NODE_PORT, by="outsider") + ask(BALANCER, by="outsider"))
    follow(mode, local, an_endpoint("10.244.2.2", node="node-2", ready=True))
    tell("elsewhere answers", ask(NODE, NODE_PORT, by="outsider"))
    guarded = a_service("web", VIP, port, balancer=(BALANCER,), loadBalancerSourceRanges=["198.51.100.0/24"])
    follow(mode, guarded, PODS["a"])
    tell("guarded answers", ask(BALANCER, by="outsider") + ask(NODE, NODE_PORT, by="outsider"))


def tell_of_schedulers() -> None:
    """Each in place of the one before it, behind the table as it is."""
    service = a_service()
    found = {key_of(service): rules(service, [a_slice(PODS["a"], PODS["b"])], HERE)}
    for scheduler in SCHEDULERS:
        ipvs_kernel.carry_out(ipvs_plan.commands(ipvs_kernel.observed(), ipvs_plan.wanted(found, (), scheduler)))
        tell(f"{scheduler} first line", ipvs_plan.text(ipvs_kernel.observed()).splitlines()[0])
        tell(f"{scheduler} one by one", ask(by="outsider", times=4))
        tell(f"{scheduler} at once", ask(by="outsider", times=4, hold=True))


def tell_of_the_end() -> None:
    """--cleanup leaves what is somebody else's: a virtual server on another address, and one on the node's own."""
    with IPVS() as ipvs:
        for address in (FOREIGN, NODE):
            service = IPVSService(addr=address, port=80, protocol=socket.IPPROTO_TCP, sched_name="rr")
            ipvs.service("add", service=service)
            ipvs.dest("add", service=service, dest=IPVSDest(addr=PODS["a"], port=8080))
    tell("whose", [front.address for front, virtual in ipvs_kernel.observed().items() if not virtual.ours])
    modes.clean_up()
    tell("left", ipvs_plan.text(ipvs_kernel.observed()))
    tell("addresses", sorted(addresses.held(addresses.IPVS_DEVICE)))
    tell("rules", run("iptables-save | grep -c KUBE || true").strip())
    tell("settings", {name: (ipvs_mode.SETTINGS / name).read_text().strip() for name in ipvs_mode.SYSCTLS})


def main(directory: Path) -> None:
    for name in MODULES:
        load(directory, name)
    before = {name: (ipvs_mode.SETTINGS / name).read_text().strip() for name in ipvs_mode.SYSCTLS}
    tell("settings before", before)
    make_world()
    tell_of_the_default()
    tell_of_schedulers()
    tell_of_the_end()
    tell("end", True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    finally:
        sys.stdout.flush()
        os.sync()
        Path("/proc/sysrq-trigger").write_text("o")
