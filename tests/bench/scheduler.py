"""`make bench-scheduler`: how many pods a second get a node, and what each costs. JSON and a table.

    --nodes N --pods N    how large (1,000 and 5,000); upstream's figures are of that size
    --only a,b            some of the workloads, by name

etcd, the API server and the scheduler run as processes of their own on this machine, and so do the clients that create the pods.
The nodes are objects alone, with nobody behind them. Each workload has a namespace and runs twice: pods that are created while the
scheduler binds them, and (`backlog`) pods that are there before it is started. Upstream's kube-scheduler 1.36.2 with upstream's API
server, on two cores: 345 a second, 383 of a backlog, 2.1 ms of CPU a pod in the scheduler and 2.4 in the API server.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvloop

from kube.api.meta import Key, Tree
from kube.api.types import Namespace, Node, Pod, ServiceAccount
from kube.client import kubeconfig
from kube.client.rest import Client
from tests.bench.apiserver.objects import TOKEN
from tests.bench.apiserver.servers import REPOSITORY, ApiServer
from tests.bench.cost import cpu_seconds, rss_mib
from tests.component.etcd_member import EtcdMember

RESULT = REPOSITORY / "bench-results" / "scheduler.json"
CLIENTS = 8
ZONES = 10
SETTLING_SECONDS = 3.0  # until the scheduler has its caches
PATIENCE_SECONDS = 20.0
ADDED = b'{"type":"ADDED"'
UPSTREAM = {"basic": 345, "basic backlog": 383}  # pods a second


def basic(number: int) -> Tree:
    return {"containers": [_container()]}


def spread(number: int) -> Tree:
    constraint = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    return {"containers": [_container()], "topologySpreadConstraints": [constraint | {"labelSelector": _selector("spread")}]}


def preferred_spread(number: int) -> Tree:
    constraint = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    return {
        "containers": [_container()],
        "topologySpreadConstraints": [constraint | {"labelSelector": _selector("preferred_spread")}],
    }


def affinity(number: int) -> Tree:
    return _affine("podAffinity", "topology.kubernetes.io/zone", "affinity")


def anti_affinity(number: int) -> Tree:
    return _affine("podAntiAffinity", "kubernetes.io/hostname", f"anti_affinity-{number % 10}")


def preferred_affinity(number: int) -> Tree:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": _selector("preferred_affinity")}
    weighted = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}
    return {"containers": [_container()], "affinity": {"podAffinity": weighted}}


def node_affinity(number: int) -> Tree:
    wanted = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["zone-1", "zone-2"]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}}
    return {"containers": [_container()], "affinity": {"nodeAffinity": required}}


WORKLOADS: dict[str, Callable[[int], Tree]] = {
    one.__name__: one for one in (basic, spread, preferred_spread, affinity, anti_affinity, preferred_affinity, node_affinity)
}


def _container() -> Tree:
    return {"name": "main", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": {"cpu": "100m", "memory": "500Mi"}}}


def _selector(app: str) -> Tree:
    return {"matchLabels": {"app": app}}


def _affine(kind: str, key: str, app: str) -> Tree:
    term = {"topologyKey": key, "labelSelector": _selector(app)}
    return {"containers": [_container()], "affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def pod(workload: str, number: int) -> Tree:
    app = f"{workload}-{number % 10}" if workload == "anti_affinity" else workload
    spec = WORKLOADS[workload](number) | {"automountServiceAccountToken": False}
    return {"metadata": {"name": f"pod-{number}", "labels": {"app": app}}, "spec": spec}


def node(number: int) -> Tree:
    room = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    name = f"node-{number}"
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{number % ZONES}"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {"metadata": {"name": name, "labels": labels}, "status": {"capacity": room, "allocatable": room, "conditions": [ready]}}


class Cluster:
    """The servers, and what is asked of them."""

    def __init__(self, directory: Path, server: ApiServer) -> None:
        self.server = server
        self.kubeconfig = directory / "kubeconfig"
        cluster = {"server": f"https://127.0.0.1:{server.port}", "certificate-authority": str(server.ca)}
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "clusters": [{"name": "bench", "cluster": cluster}], "users": [{"name": "bench", "user": {"token": TOKEN}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        }))  # fmt: skip

    async def fill(self, nodes: int) -> None:
        async with Client(kubeconfig.load(str(self.kubeconfig)), "bench") as client:
            await _each(range(nodes), lambda number: client.create(Node, node(number)))
            for number in range(nodes):  # what admission puts on a new node
                await client.patch(Node, Key("", f"node-{number}"), {"spec": {"taints": None}})

    @contextlib.contextmanager
    def scheduler(self) -> Iterator[int]:
        command = [sys.executable, "-m", "scheduler", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--secure-port=0"]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        program = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield program.pid
        finally:
            program.terminate()
            program.wait(30)

    async def workload(self, name: str, pods: int, *, backlog: bool) -> dict[str, float]:
        namespace = f"{name.replace('_', '-')}{'-backlog' if backlog else ''}"
        async with Client(kubeconfig.load(str(self.kubeconfig)), "bench") as client:
            await client.create(Namespace, {"metadata": {"name": namespace}})
            await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": namespace}})

            async def create() -> None:
                await _each(range(pods), lambda number: client.create(Pod, pod(name, number), namespace=namespace))

            if backlog:
                await create()
            bound = await Bound.watched(self.server, namespace)
            served = cpu_seconds(self.server.pid)
            with self.scheduler() as pid:
                if not backlog:
                    await asyncio.sleep(SETTLING_SECONDS)
                began = time.monotonic()
                await asyncio.gather(bound.until(pods), *([] if backlog else [create()]))
                seconds = bound.last - (bound.first if backlog else began)
                return {
                    "rate": bound.count / seconds, "bound": bound.count, "scheduler_cpu_ms": cpu_seconds(pid) / pods * 1e3,
                    "server_cpu_ms": (cpu_seconds(self.server.pid) - served) / pods * 1e3, "rss_mib": rss_mib(pid),
                }  # fmt: skip


class Bound(asyncio.Protocol):
    """A watch of the pods of a namespace that have a node: each is ADDED to it once."""

    def __init__(self, namespace: str) -> None:
        self.count = 0
        self.first = self.last = 0.0
        self._namespace = namespace
        self._rest = b""
        self._news = asyncio.Event()

    @classmethod
    async def watched(cls, server: ApiServer, namespace: str) -> "Bound":
        loop = asyncio.get_running_loop()
        made = loop.create_connection(
            lambda: cls(namespace), "127.0.0.1", server.port, ssl=server.trust, server_hostname="127.0.0.1"
        )
        return (await made)[1]

    def connection_made(self, transport: Any) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods?watch=1&fieldSelector=spec.nodeName%21%3D"
        transport.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        seen = (self._rest + data).count(ADDED)
        self._rest = (self._rest + data)[1 - len(ADDED) :]
        if seen:
            self.last = time.monotonic()
            self.first = self.first or self.last
            self.count += seen
            self._news.set()

    async def until(self, pods: int) -> None:
        """So many; or as many as come, where nothing comes any longer."""
        with contextlib.suppress(TimeoutError):
            while self.count < pods:
                self._news.clear()
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._news.wait()


async def _each(numbers: Iterable[int], do: Callable[[int], Awaitable[object]]) -> None:
    """For each number, some at a time."""
    left = iter(numbers)

    async def some() -> None:
        for number in left:
            await do(number)

    await asyncio.gather(*(some() for _ in range(CLIENTS)))


def measured(nodes: int, pods: int, names: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"nodes": nodes, "pods": pods, "workloads": {}}
    for name in names:  # each with a cluster of its own: what one left behind is not the next one's
        with contextlib.ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skiff-bench-")))
            etcd = EtcdMember()
            stack.callback(etcd.remove)
            etcd.start()
            server = ApiServer(etcd, directory)
            stack.callback(server.kill)
            server.start()
            cluster = Cluster(directory, server)
            uvloop.run(cluster.fill(nodes))
            for backlog in (False, True):
                title = f"{name}{' backlog' if backlog else ''}"
                found["workloads"][title] = uvloop.run(cluster.workload(name, pods, backlog=backlog))
                print(line(title, found["workloads"][title]), flush=True)
    return found


def line(title: str, cell: dict[str, float]) -> str:
    upstream = UPSTREAM.get(title)
    ratio = f"   {cell['rate'] / upstream:.2f}x upstream's {upstream}" if upstream else ""
    costs = f"{cell['scheduler_cpu_ms']:>10.2f}{cell['server_cpu_ms']:>10.2f}{cell['rss_mib']:>10.0f}"
    return f"{title:28}{cell['rate']:>10.0f}{cell['bound']:>8.0f}{costs}{ratio}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench-scheduler", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1_000)
    parser.add_argument("--pods", type=int, default=5_000)
    parser.add_argument("--only", default=",".join(WORKLOADS))
    arguments = parser.parse_args()
    print(f"{'':28}{'a second':>10}{'bound':>8}{'CPU ms':>10}{'server':>10}{'RSS MiB':>10}")
    result = measured(arguments.nodes, arguments.pods, arguments.only.split(","))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
