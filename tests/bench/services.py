"""Services: from nothing and one endpoint changed, in each mode that this kernel has, from the change to the kernel; and the time
of connect() through a cluster IP among few Services and among many. Needs root; everything is in a network namespace of its own.

The program's own settings of the garbage collector hold, as at Python's it takes half of the time. `measure()` returns milliseconds
(microseconds where the name says us); `python -m tests.bench.services` prints them as JSON.
"""

import asyncio
import gc
import json
import os
import socket
import statistics
import threading
import time

from kube.api.meta import Key
from kube.api.types import EndpointSlice, Service
from kube_proxy import modes, service_route
from kube_proxy.config import Config
from kube_proxy.mode import Mode
from kube_proxy.rules import rules
from kube_proxy.start import GC_THRESHOLDS
from tests.node.kube_proxy.service_node import SETTINGS
from tests.node.network.namespace import own_namespace, run
from tests.unit.kube_proxy.objects import HERE, a_service, a_slice, an_endpoint

COUNTS = (100, 1000, 5000)
MOST = {"iptables": 1000, "userspace": 100}  # iptables takes half a minute for 5,000, userspace one listener each
CHANGES, CONNECTIONS = 20, 500
LOCAL = 50
SERVER = "10.244.1.2"


def measure() -> dict[str, object]:
    thresholds = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        return {name: _of_mode(name) for name, entry in modes.MODES.items() if not entry.missing()}
    finally:
        gc.set_threshold(*thresholds)


def _of_mode(name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for count in COUNTS:
        if count > MOST.get(name, count):
            continue
        with own_namespace():
            run(f"ip link add pods type bridge; ip link set pods up; ip addr add {SERVER}/24 dev pods")
            assert SETTINGS.service_cidr is not None
            service_route.put([SETTINGS.service_cidr])
            found |= asyncio.run(_with_services(name, count))
    if name in ("nftables", "iptables"):
        with own_namespace():
            run(f"ip link add pods type bridge; ip link set pods up; ip addr add {SERVER}/24 dev pods")
            assert SETTINGS.service_cidr is not None
            service_route.put([SETTINGS.service_cidr])
            found |= asyncio.run(_with_services(name, 10))
    return found


async def _with_services(name: str, count: int) -> dict[str, float]:
    mode = await asyncio.to_thread(modes.chosen, Config(proxy_mode=name), [SETTINGS])
    services = [_service(number) for number in range(count)]
    slices = [_slice(number, 0) for number in range(count)]
    changed = [_slice(count // 2, change) for change in range(1, CHANGES + 1)]
    try:
        began, cpu = time.perf_counter(), time.process_time()
        for service, slice_ in zip(services, slices, strict=True):
            _take(mode, service, slice_)
        await mode.sync(whole=True)
        found = {f"{count} from nothing": 1000 * (time.perf_counter() - began)}
        found[f"{count} from nothing, CPU"] = 1000 * (time.process_time() - cpu)
        took = []
        for slice_ in changed:
            began = time.perf_counter()
            _take(mode, services[count // 2], slice_)
            await mode.sync(whole=False)
            took.append(1000 * (time.perf_counter() - began))
        found[f"{count} one endpoint changed p50"] = statistics.median(took)
        found[f"{count} one endpoint changed max"] = max(took)
        _take(mode, services[-1], a_slice(SERVER, service=services[-1].metadata.name))
        await mode.sync(whole=False)
        found[f"{count} connect us"] = await asyncio.to_thread(_connect, services[-1].spec.clusterIP)
    finally:
        await mode.close()
    return found


def _take(mode: Mode, service: Service, slice_: EndpointSlice) -> None:
    mode.take(Key("default", service.metadata.name), rules(service, [slice_], HERE))


def _service(number: int) -> Service:
    return a_service(f"s{number}", f"10.96.{number >> 8}.{number & 255}")


def _slice(number: int, change: int) -> EndpointSlice:
    """Three endpoints; a change replaces the first of them. This node has as many pods as nodes have: one of every 50 Services."""
    first = f"10.244.{200 + change}.2" if change else f"10.244.{100 + (number >> 8)}.{number & 255}"
    here = an_endpoint(first, ready=True) if number % LOCAL == 0 else an_endpoint(first, node="node-2", ready=True)
    others = [an_endpoint(f"10.{net}.{number >> 8}.{number & 255}", node="node-2", ready=True) for net in (245, 246)]
    return a_slice(here, *others, service=f"s{number}")


def _connect(address: str) -> float:
    """The median time of connect() to a cluster IP, in microseconds."""
    with socket.create_server((SERVER, 8080), backlog=1024) as server:
        thread = threading.Thread(target=_accept, args=(server,))
        thread.start()
        took = []
        for _ in range(CONNECTIONS):
            began = time.perf_counter()
            with socket.create_connection((address, 80), timeout=5):
                took.append(1e6 * (time.perf_counter() - began))
        thread.join()
    return statistics.median(took)


def _accept(server: socket.socket) -> None:
    for _ in range(CONNECTIONS):
        server.accept()[0].close()


def main() -> None:
    print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("needs root: it programs the kernel of a network namespace of its own")
    main()
