"""`make bench-apiserver`: what the API server does a second, what each operation costs it, and etcd alone beside it.

    --quick          a second a cell instead of three, no thousand watchers, no big cluster
    --creates N      create N ConfigMaps more before the last look at the memory (upstream was looked at after 90,000)
    --only a,b       some of: get list create patch watch etcd scale

Everything runs in one go on this machine: etcd, the server, and the load (wrk, and a raw uvloop client for watches). What can
be trusted where the machine is shared is the server's CPU time an operation; rates are what was left of the machine.
A table is printed, and the same goes to bench-results/apiserver.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.apiserver import objects, table
from tests.bench.apiserver.scale import Scale
from tests.bench.apiserver.servers import REPOSITORY, ApiServer
from tests.bench.cost import cpu_seconds, rss_mib
from tests.component.etcd_member import EtcdMember

RESULT = REPOSITORY / "bench-results" / "apiserver.json"
SCRIPT = Path(__file__).parent / "load" / "request.lua"
CONNECTIONS = {"get": (1, 16, 64), "list": (1, 4, 16, 64), "create": (1, 16, 64), "patch": (1, 16, 64)}
WATCHERS = (1, 100, 1_000)
PACED_A_SECOND = {1: 50, 100: 50, 1_000: 10}
FLOOD_WRITERS = 16
COUNTS = {"get": objects.CONFIGMAPS, "list": 1, "create": 1, "update": 64, "patch": objects.PATCHED_PODS}
PARTS = ("get", "list", "create", "patch", "watch", "etcd", "scale")


class Bench:
    """One run."""

    def __init__(self, server: ApiServer, etcd: EtcdMember, seconds: float) -> None:
        self.server = server
        self.etcd = etcd
        self.seconds = seconds
        self._runs = 0

    def load(self, kind: str, connections: int, seconds: float) -> dict[str, float]:
        """What wrk saw."""
        self._runs += 1
        command = [
            "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout=20s", f"-s{SCRIPT}", f"https://127.0.0.1:{self.server.port}",
            "--", kind, objects.TOKEN, str(COUNTS[kind]), f"r{int(time.time())}-{self._runs}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found

    def requests(self, kind: str, connections: int) -> dict[str, Any]:
        """One cell of the table."""
        before = cpu_seconds(self.server.pid)
        seen = self.load(kind, connections, self.seconds)
        spent = cpu_seconds(self.server.pid) - before
        rate = seen["requests"] / seen["seconds"]
        return {
            "rate": rate, "cpu_ms": spent / max(1, seen["requests"]) * 1e3, "p50_ms": seen["p50_ms"], "p99_ms": seen["p99_ms"],
            "failed": seen["failed"],
        }  # fmt: skip

    def watch(self, watchers: int) -> dict[str, Any]:
        """Events delivered: writers at full speed, and at a pace."""
        with self._watching("flood", watchers) as client:
            before = cpu_seconds(self.server.pid)
            written = self.load("update", FLOOD_WRITERS, self.seconds)
            flood = self._result(client)
            spent = cpu_seconds(self.server.pid) - before
        with self._watching("paced", watchers, PACED_A_SECOND[watchers], 2 * self.seconds) as client:
            paced = self._result(client)
        return {
            "rate": flood["events"] / flood["seconds"], "cpu_us": spent / max(1, flood["events"]) * 1e6,
            "writes_s": written["requests"] / written["seconds"], "failed": written["failed"], "flood": flood, "paced": paced,
            "paced_writes_s": PACED_A_SECOND[watchers],
        }  # fmt: skip

    def _watching(self, how: str, *more: float) -> "subprocess.Popen[str]":
        arguments = [how, str(self.server.port), str(self.server.ca), *map(str, more)]
        client = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.apiserver.watch_load", *arguments],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert client.stdout is not None
        if client.stdout.readline().strip() != "ready":
            raise SystemExit("the watchers do not get through")
        return client

    def _result(self, client: "subprocess.Popen[str]") -> dict[str, float]:
        out, _ = client.communicate("stop\n", timeout=120)
        found: dict[str, float] = json.loads(out.splitlines()[-1])
        return found

    def etcd_alone(self, what: str, at_once: int) -> dict[str, float]:
        command = [
            sys.executable,
            "-m",
            "tests.bench.apiserver.etcd_load",
            self.etcd.endpoint,
            what,
            str(at_once),
            str(self.seconds),
        ]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60)
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def create_many(self, count: int) -> None:
        """So many ConfigMaps more, and whatever wrk makes beyond."""
        made = 0.0
        while made < count:
            made += self.load("create", 16, 5)["requests"]


def run(arguments: argparse.Namespace, directory: Path, etcd: EtcdMember) -> dict[str, Any]:
    parts = arguments.only.split(",") if arguments.only else PARTS[:-1] if arguments.quick else PARTS
    server = ApiServer(etcd, directory)
    bench = Bench(server, etcd, 1.0 if arguments.quick else 3.0)
    rss: dict[str, float] = {}
    result: dict[str, Any] = {"requests": {}, "watch": {}, "etcd": {}, "rss_mib": rss, "machine": table.machine()}
    try:
        result["start"] = {"fresh": server.start()}
        objects.fill(server.port, server.trust)
        server.stop()
        result["start"]["again"] = server.start()
        rss["ready"] = result["start"]["again"]["rss_mib"]
        server.settle()
        for kind in (part for part in parts if part in CONNECTIONS):
            result["requests"][kind] = {str(count): bench.requests(kind, count) for count in CONNECTIONS[kind]}
            rss[kind] = rss_mib(server.pid)
        for watchers in WATCHERS[: 2 if arguments.quick else 3] if "watch" in parts else ():
            result["watch"][str(watchers)] = bench.watch(watchers)
        for what in ("txn", "range") if "etcd" in parts else ():
            result["etcd"][what] = {str(count): bench.etcd_alone(what, count) for count in (1, 16, 64)}
        bench.create_many(arguments.creates)
        result["scale"] = Scale(server).measured() if "scale" in parts else {}
        rss["end"] = rss_mib(server.pid)
        result["stop_s"] = server.stop()
    finally:
        server.kill()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench-apiserver", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--creates", type=int, default=0)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    etcd = EtcdMember()
    try:
        etcd.start()
        with tempfile.TemporaryDirectory(prefix="skiff-bench-") as directory:
            result = run(arguments, Path(directory), etcd)
    finally:
        etcd.remove()
    print(json.dumps(result))
    print(table.shown(result))
    if not arguments.only:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
