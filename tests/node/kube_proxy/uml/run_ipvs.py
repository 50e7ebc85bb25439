"""Runs as the first process of a user-mode Linux: IPVS by kube-proxy's own code, with real connections. Prints lines of JSON.

Arguments: the directory with the kernel's modules.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from kube.api.meta import Key
from kube_proxy import addresses, ipvs_kernel, ipvs_plan
from kube_proxy.rules import PortRule, Target

MODULES = (
    "dummy",
    "stp",
    "llc",
    "bridge",
    "ip_vs",
    *(f"ip_vs_{name}" for name in ("rr", "wrr", "lc", "sh", "dh", "sed", "nq", "wlc")),
)
FINIT_MODULE = 313
VIP, WEB = "10.96.0.10", Key("default", "web")
TARGETS = (Target("127.0.0.11", 8080), Target("127.0.0.12", 8080))


def load(directory: Path, name: str) -> None:
    """A module, after those it needs."""
    lines = (line.split(":") for line in (directory / "modules.dep").read_text().splitlines())
    needs = {Path(path).stem: [path, *more.split()] for path, more in lines}
    for path in reversed(needs[name]):
        with (directory / path).open("rb") as module:
            ctypes.CDLL(None).syscall(FINIT_MODULE, module.fileno(), b"", 0)


def serve(target: Target) -> None:
    server = socket.create_server(target)

    def answer() -> None:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(target.address.encode())

    threading.Thread(target=answer, daemon=True).start()


def ask() -> str:
    with socket.create_connection((VIP, 80), timeout=3) as connection:
        return connection.recv(100).decode()


def tell(what: str, value: object) -> None:
    print(json.dumps({what: value}), flush=True)


def follow(rule: PortRule | None, scheduler: str = "rr") -> str:
    """What the mode does, without the packet filter, which this kernel lacks; then what the kernel has."""
    services = {WEB: [rule]} if rule is not None else {}
    addresses.put(addresses.IPVS_DEVICE, addresses.of_services(services))
    ipvs_kernel.carry_out(ipvs_plan.commands(ipvs_kernel.observed(), ipvs_plan.wanted(services, (), scheduler)))
    return ipvs_plan.text(ipvs_kernel.observed())


def main(directory: Path) -> None:
    for name in MODULES:
        load(directory, name)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/vs/conntrack").write_text("1")
    for target in TARGETS:
        serve(target)
    rule = PortRule(WEB, "", "TCP", VIP, 80, usable=TARGETS, internal=TARGETS, external=TARGETS)
    tell("rr", follow(rule))
    tell("rr answers", [ask() for _ in range(6)])
    one = PortRule(WEB, "", "TCP", VIP, 80, usable=TARGETS[:1], internal=TARGETS[:1])
    tell("one", follow(one))
    tell("one answers", [ask() for _ in range(3)])
    sticky = PortRule(WEB, "", "TCP", VIP, 80, affinity_seconds=360, usable=TARGETS, internal=TARGETS)
    tell("sticky", follow(sticky))
    tell("sticky answers", [ask() for _ in range(6)])
    for scheduler in ("wrr", "lc", "sh", "dh", "sed", "nq", "wlc"):
        tell(f"scheduler {scheduler}", follow(rule, scheduler).splitlines()[0])
    tell("gone", follow(None))
    tell("addresses", sorted(addresses.held(addresses.IPVS_DEVICE)))
    tell("end", True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    finally:
        sys.stdout.flush()
        os.sync()
        Path("/proc/sysrq-trigger").write_text("o")
