"""Network namespaces for tests: the test's own, in place of the machine's, and processes with one each, as pods have.

A test that enters a namespace of its own has all of its sockets, threads and child processes there; the namespace, with every
link, route and rule in it, goes when the last of them is gone.
"""

import contextlib
import ctypes
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kubelet.network.links import CLONE_NEWNET

T = TypeVar("T")
REPLY_SECONDS = 2.0
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

# What a pod of the tests runs: on every port given it answers, by TCP and UDP, its own name and the address that it was asked from.
# It ends with its parent, whatever ends that.
_SERVER = """
import select, socket, sys
name, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
tcp = [socket.create_server(("0.0.0.0", port)) for port in ports]
udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
for one, port in zip(udp, ports):
    one.bind(("0.0.0.0", port))
print("ready", flush=True)
while True:
    for one in select.select([sys.stdin, *tcp, *udp], [], [])[0]:
        if one is sys.stdin:
            sys.exit()
        if one in tcp:
            connection, peer = one.accept()
            connection.sendall(f"{name} {peer[0]}".encode())
            connection.close()
        else:
            _, peer = one.recvfrom(1500)
            one.sendto(f"{name} {peer[0]}".encode(), peer)
"""


@contextlib.contextmanager
def own_namespace() -> Iterator[None]:
    """The calling thread, and what it starts, in a new network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot make a network namespace: these tests need root")
        run("ip link set lo up")
        yield
    finally:
        libc.setns(outside, CLONE_NEWNET)
        os.close(outside)


class PodProcess:
    """A process in a network namespace of its own that serves on some ports."""

    def __init__(self, name: str, *ports: int) -> None:
        self.name = name
        command = ["unshare", "--net", sys.executable, "-S", "-c", _SERVER, name, *map(str, ports)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid

    def wait_ready(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", f"{self.name} did not start"

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


def inside(pid: int, act: Callable[[], T]) -> T:
    """Call in the network namespace of a process; sockets made there stay there."""

    def enter() -> T:
        with open(f"/proc/{pid}/ns/net") as namespace:
            if ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(f"cannot enter the namespace of {pid}")
        return act()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(enter).result()


def reach(address: str, port: int, *, source: str, timeout: float = 0.3) -> None:
    """Connect by TCP from one of the own addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.bind((source, 0))
        connection.connect((address, port))


def ask(address: str, port: int, *, timeout: float = REPLY_SECONDS) -> str:
    """What a TCP server says, without being asked anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect((address, port))
        return connection.recv(1500).decode()


def ask_udp(address: str, port: int, *, timeout: float = REPLY_SECONDS) -> str:
    """What a UDP server answers."""
    with udp_client(address, port, timeout=timeout) as client:
        return exchange(client)


def udp_client(address: str, port: int, *, timeout: float = REPLY_SECONDS) -> socket.socket:
    """A connected UDP socket: one flow, and one that learns of refusals."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(timeout)
    client.connect((address, port))
    return client


def exchange(client: socket.socket) -> str:
    client.send(b"?")
    return client.recv(1500).decode()


def run(command: str) -> str:
    """A shell command's output; it must succeed."""
    environment = {"PATH": PATH, "LC_ALL": "C"}
    done = subprocess.run(["sh", "-ec", command], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def world() -> str:
    """Everything that the network of this namespace consists of; not what the kernel finds out about it in its own time: whether
    an address is taken (tentative), whether a link has a carrier.
    """
    shown = run("nft -s list ruleset; ip -o link; ip -o addr; ip route; ip rule; iptables-save | grep -v '^#' || true")
    return re.sub(r" tentative|NO-CARRIER,|,LOWER_UP|state (UNKNOWN|DOWN|UP) | linkdown", "", shown)
