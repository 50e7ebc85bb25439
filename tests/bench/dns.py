"""Cluster DNS under load: how many questions a core answers, and how long an answer takes at half of that. `measure()`, or as JSON:

    python -m tests.bench.dns

A server in a process of its own knows 1,000 Services; the asker sends over loopback from another process: first as many as are
taken, with a window of questions under way; then 15,000 a second, evenly. "per core" is by the server's own CPU time, so a busy
machine does not change it much. Names are asked in turn, each many times, as in a cluster; `first_*` are asked for the first time.
"""

import asyncio
import json
import multiprocessing
import os
import socket
import struct
import time
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from addons.dns import wire
from addons.dns.cluster import Cluster
from addons.dns.resolver import Resolver
from addons.dns.server import Server
from addons.dns.settings import read
from addons.dns.start import keep_out_of_the_collector
from kube.api.types import EndpointSlice, Namespace, Service
from kube.api.views import view
from kube.client.cache import Cache

SERVICES = 1000
ROUNDS = 100  # times that each name is asked, as fast as possible
WINDOW = 64  # questions under way
PACED_PER_SECOND, PACED_SECONDS = 15_000, 4
PATIENCE_SECONDS = 2.0
COREFILE = ".:53 {\n kubernetes cluster.local {\n  ttl 30\n }\n loadbalance\n}"


def measure() -> dict[str, Any]:
    """Answers a second and latency, with what they were aimed at."""
    cores = os.sched_getaffinity(0)
    if len(cores) > 1:
        os.sched_setaffinity(0, sorted(cores)[:-1])  # the last one is the server's
    try:
        return _measured(cores)
    finally:
        os.sched_setaffinity(0, cores)


def _measured(cores: set[int]) -> dict[str, Any]:
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, cores))
    server.start()
    try:
        port = here.recv()
        first = _flood(port, here, 1)
        again = _flood(port, here, ROUNDS)
        latency = _paced(port)
    finally:
        server.terminate()
        server.join()
    return {
        "services": SERVICES,
        "first_answers_per_core_second": first["per_core"],
        "answers_per_second": again["per_second"],
        "answers_per_core_second": again["per_core"],
        "aim_answers_per_second": 30_000,
        "lost": again["lost"],
        "paced_per_second": PACED_PER_SECOND,
        **latency,
        "aim_p99_ms": 5.0,
    }


def _flood(port: int, server: Connection, rounds: int) -> dict[str, float]:
    questions = [wire.question(_name(number), wire.A) for number in range(SERVICES)] * rounds
    asker = _socket(port)
    server.send("cpu")
    cpu, began = server.recv(), time.perf_counter()
    answered = sent = 0
    while answered < len(questions):
        while sent - answered < WINDOW and sent < len(questions):
            asker.send(questions[sent])
            sent += 1
        try:
            asker.recv(512)
        except TimeoutError:
            break
        answered += 1
    took = time.perf_counter() - began
    server.send("cpu")
    used = server.recv() - cpu
    asker.close()
    return {"per_second": round(answered / took), "per_core": round(answered / used), "lost": len(questions) - answered}


def _paced(port: int) -> dict[str, float]:
    """Ask evenly; the time of an answer counts from when its question was due, so a late asker hides nothing."""
    asker = _socket(port)
    asker.setblocking(False)
    total = PACED_PER_SECOND * PACED_SECONDS
    questions = [wire.question(_name(number), wire.A)[2:] for number in range(SERVICES)]
    due: dict[int, float] = {}
    times: list[float] = []
    sent, began = 0, time.perf_counter()
    while len(times) < total and time.perf_counter() < began + PACED_SECONDS + PATIENCE_SECONDS:
        now = time.perf_counter()
        while sent < total and began + sent / PACED_PER_SECOND <= now:
            ident = sent & 0xFFFF
            due[ident] = began + sent / PACED_PER_SECOND
            asker.send(struct.pack("!H", ident) + questions[sent % SERVICES])
            sent += 1
        try:
            while True:
                ident = int.from_bytes(asker.recv(512)[:2])
                times.append(time.perf_counter() - due.pop(ident))
        except BlockingIOError:
            pass
    asker.close()
    times.sort()
    return {
        "p50_ms": round(times[len(times) // 2] * 1000, 3),
        "p99_ms": round(times[len(times) * 99 // 100] * 1000, 3),
        "paced_lost": total - len(times),
    }


def _socket(port: int) -> socket.socket:
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    asker.connect(("127.0.0.1", port))
    asker.settimeout(PATIENCE_SECONDS)
    return asker


def _name(number: int) -> bytes:
    return wire.name_of(f"service-{number}.default.svc.cluster.local")


def _serve(parent: Connection, cores: set[int]) -> None:
    """The server's process: tells its port, then its CPU time whenever it is asked."""
    os.sched_setaffinity(0, sorted(cores)[-1:])
    uvloop.run(_serving(parent))


async def _serving(parent: Connection) -> None:
    services: Cache[Service] = Cache()
    for number in range(SERVICES):
        address = f"10.96.{number // 250}.{number % 250 + 1}"
        spec = {"clusterIP": address, "clusterIPs": [address], "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
        metadata = {"name": f"service-{number}", "namespace": "default"}
        services.set(view(Service, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}))
    slices: Cache[EndpointSlice] = Cache()
    namespaces: Cache[Namespace] = Cache()
    async with asyncio.TaskGroup() as tasks:
        server = Server(Resolver(read(COREFILE, {}), Cluster(services, slices, namespaces)), tasks)
        await server.listen("127.0.0.1", 0)
        keep_out_of_the_collector()
        parent.send(server.port)
        asyncio.get_running_loop().add_reader(parent.fileno(), _tell, parent)
        await asyncio.Event().wait()


def _tell(parent: Connection) -> None:
    parent.recv()
    parent.send(time.process_time())


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
