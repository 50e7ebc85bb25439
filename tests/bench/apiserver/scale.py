"""The benchmark's big cluster: what must not grow with the number of objects, and what may, but only in step with it.

    5,000 pods on 1,000 nodes      the memory they take; LIST whole, by page, by label, by node
    1,000 kubelets watching        a write's cost with a watcher on each node, beside the same without
    10,000 events                  the last thousand beside the first
    deletecollection               5,000 pods, and 1,000 ConfigMaps, as the namespace controller empties a namespace

Each figure is the server's CPU time, which a busy machine changes least; `ratio` compares two of the same run.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPSConnection
from typing import Any

from tests.bench.apiserver import objects
from tests.bench.apiserver.servers import ApiServer
from tests.bench.cost import cpu_seconds, rss_mib

NAMESPACE = "scale"
PODS, NODES, EVENTS, CONFIGMAPS = 5_000, 1_000, 10_000, 1_000
THREADS = 8
LISTS = {
    "all": "",
    "page of 500": "?limit=500",
    "by label, a tenth": "?labelSelector=app%3Dapp-3",
    "by label, none": "?labelSelector=app%3Dno",
    "by node, five": "?fieldSelector=spec.nodeName%3Dnode-7",
}
REPEATS = 5
WRITES = 500
SLICE = 1_000
HEADERS = {"Authorization": f"Bearer {objects.TOKEN}", "Content-Type": "application/json"}
TIMEOUT_SECONDS = 120.0

Make = Callable[[int], dict[str, Any]]


class Scale:
    """The measurements, in their order."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._base = f"/api/v1/namespaces/{NAMESPACE}"

    def measured(self) -> dict[str, Any]:
        with self._connection() as connection:
            self._ask(connection, "POST", "/api/v1/namespaces", _named("v1", "Namespace", NAMESPACE))
            self._ask(connection, "POST", f"{self._base}/serviceaccounts", _named("v1", "ServiceAccount", "default"))
        before = rss_mib(self._server.pid)
        result: dict[str, Any] = {"pods": self._filled("pods", _pod, range(PODS))}
        result["pods"] |= {"rss_mib": rss_mib(self._server.pid), "rss_before_mib": before}
        with self._connection() as connection:
            result["list"] = {name: self._listed(connection, query) for name, query in LISTS.items()}
        result["kubelets"] = self._watched()
        result["events"] = self._events()
        result["configmaps"] = self._filled("configmaps", _configmap, range(CONFIGMAPS))
        result["delete"] = {
            "pods": self._emptied("pods?gracePeriodSeconds=0", PODS),
            "configmaps": self._emptied("configmaps", CONFIGMAPS),
        }
        result["rss_end_mib"] = rss_mib(self._server.pid)
        return result

    def _filled(self, plural: str, make: Make, numbers: range) -> dict[str, float]:
        began, spent = time.monotonic(), cpu_seconds(self._server.pid)
        parts = [numbers[start::THREADS] for start in range(THREADS)]
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda part: self._posted(plural, make, part), parts))
        return self._cost(began, spent, len(numbers))

    def _posted(self, plural: str, make: Make, numbers: range) -> None:
        with self._connection() as connection:
            for number in numbers:
                self._ask(connection, "POST", f"{self._base}/{plural}", make(number))

    def _listed(self, connection: HTTPSConnection, query: str) -> dict[str, float]:
        began, spent, size = time.monotonic(), cpu_seconds(self._server.pid), 0
        for _ in range(REPEATS):
            size = len(self._ask(connection, "GET", f"{self._base}/pods{query}"))
        return self._cost(began, spent, REPEATS) | {"bytes": size}

    def _watched(self) -> dict[str, float]:
        alone = self._patched()
        with ExitStack() as watches:
            for number in range(NODES):
                watches.enter_context(self._watching(f"spec.nodeName%3Dnode-{number}"))
            with_all = self._patched()
        return {"alone_cpu_ms": alone["cpu_ms"], "cpu_ms": with_all["cpu_ms"], "ratio": with_all["cpu_ms"] / alone["cpu_ms"]}

    def _patched(self) -> dict[str, float]:
        """Labels, since a status has a kubelet's right to be written as it likes."""
        began, spent = time.monotonic(), cpu_seconds(self._server.pid)
        headers = HEADERS | {"Content-Type": "application/merge-patch+json"}
        with self._connection() as connection:
            for number in range(WRITES):
                change = {"metadata": {"labels": {"turn": f"{time.monotonic_ns()}"}}}
                self._ask(connection, "PATCH", f"{self._base}/pods/pod-{number * 7 % PODS}", change, headers)
        return self._cost(began, spent, WRITES)

    @contextmanager
    def _watching(self, selector: str) -> Iterator[None]:
        """A watch whose events wait in the socket: the few that a node has."""
        address, path = ("127.0.0.1", self._server.port), f"{self._base}/pods?watch=1&fieldSelector={selector}"
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {objects.TOKEN}\r\n\r\n"
        with (
            socket.create_connection(address, TIMEOUT_SECONDS) as plain,
            self._server.trust.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            secure.sendall(head.encode())
            if b" 200 " not in secure.recv(4096):
                raise SystemExit(f"GET {path} is refused")
            yield

    def _events(self) -> dict[str, float]:
        first = self._filled("events", _event, range(SLICE))
        self._filled("events", _event, range(SLICE, EVENTS - SLICE))
        last = self._filled("events", _event, range(EVENTS - SLICE, EVENTS))
        return {"first_cpu_ms": first["cpu_ms"], "last_cpu_ms": last["cpu_ms"], "ratio": last["cpu_ms"] / first["cpu_ms"]}

    def _emptied(self, what: str, count: int) -> dict[str, float]:
        began, spent = time.monotonic(), cpu_seconds(self._server.pid)
        with self._connection() as connection:
            self._ask(connection, "DELETE", f"{self._base}/{what}")
            left = json.loads(self._ask(connection, "GET", f"{self._base}/{what.partition('?')[0]}?limit=1"))["items"]
        return self._cost(began, spent, count) | {"left": len(left)}

    def _cost(self, began: float, spent: float, count: int) -> dict[str, float]:
        seconds, cpu = time.monotonic() - began, cpu_seconds(self._server.pid) - spent
        return {"count": count, "seconds": seconds, "cpu_ms": cpu / count * 1e3}

    @contextmanager
    def _connection(self) -> Iterator[HTTPSConnection]:
        trust: ssl.SSLContext = self._server.trust
        connection = HTTPSConnection("127.0.0.1", self._server.port, context=trust, timeout=TIMEOUT_SECONDS)
        try:
            yield connection
        finally:
            connection.close()

    def _ask(
        self, connection: HTTPSConnection, method: str, path: str, tree: Any = None, headers: dict[str, str] = HEADERS
    ) -> bytes:
        connection.request(method, path, json.dumps(tree) if tree is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path}: {answer.status} {text.decode()}")
        return text


def _named(version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def _pod(number: int) -> dict[str, Any]:
    tree = objects.pod(number)
    tree["spec"]["nodeName"] = f"node-{number % NODES}"
    return tree


def _configmap(number: int) -> dict[str, Any]:
    return objects.configmap(f"cm-{number}", number)


def _event(number: int) -> dict[str, Any]:
    regarding = {"apiVersion": "v1", "kind": "Pod", "namespace": NAMESPACE, "name": f"pod-{number % PODS}"}
    return _named("v1", "Event", f"event-{number}") | {
        "involvedObject": regarding, "reason": "Pulled", "message": "Container image already present on machine", "type": "Normal",
        "source": {"component": "kubelet"}, "count": 1,
    }  # fmt: skip
