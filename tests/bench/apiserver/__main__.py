"""`make bench-apiserver`: what the API server does a second, what each operation costs it, and etcd alone beside it.

    --quick          a second a cell once, instead of three seconds three times; no thousand watchers, no big cluster
    --creates N      create N ConfigMaps more before the last look at the memory (upstream was looked at after 90,000)
    --only a,b       some of: get list create pod patch watch etcd scale
    --peer PROGRAM   another kube-apiserver, upstream's say: each cell is measured of it right after ours, with an etcd of its own

Each number is the median of its rounds; the servers take turns in each of them. How much of the processors the machine's host took
for others meanwhile (steal) is told too: beyond a few hundredths, delays tell more of the host than of the server.

Everything runs in one go on this machine: etcd, the server, and the load (wrk, and a raw uvloop client for watches). What can
be trusted where the machine is shared is the server's CPU time an operation; rates are what was left of the machine.
A table is printed, and the same goes to bench-results/apiserver.json.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.apiserver import objects, table
from tests.bench.apiserver.rounds import middle, stolen
from tests.bench.apiserver.scale import Scale
from tests.bench.apiserver.servers import OURS, REPOSITORY, ApiServer
from tests.bench.cost import cpu_seconds, rss_mib
from tests.component.etcd_member import EtcdMember

RESULT = REPOSITORY / "bench-results" / "apiserver.json"
SCRIPT = Path(__file__).parent / "load" / "request.lua"
CONNECTIONS = {"get": (1, 16, 64), "list": (1, 4, 16, 64), "create": (1, 16, 64), "pod": (8,), "patch": (1, 16, 64)}
WATCHERS = (1, 100, 1_000)
PACED_A_SECOND = {1: 50, 100: 50, 1_000: 10}
FLOOD_WRITERS = 16
COUNTS = {"get": objects.CONFIGMAPS, "list": 1, "create": 1, "pod": 1, "update": 64, "patch": objects.PATCHED_PODS}
ROUNDS = 3
PARTS = ("get", "list", "create", "pod", "patch", "watch", "etcd", "scale")


class Bench:
    """One run."""

    def __init__(self, server: ApiServer, etcd: EtcdMember, seconds: float) -> None:
        self.server = server
        self.etcd = etcd
        self.seconds = seconds
        self._runs = 0

    def started(self) -> dict[str, Any]:
        """Its start, fresh and with data; the rest of the result is still to come."""
        start = {"fresh": self.server.start()}
        objects.fill(self.server.port, self.server.trust)
        self.server.stop()
        start["again"] = self.server.start()
        self.server.settle()
        return {"requests": {}, "watch": {}, "etcd": {}, "start": start, "rss_mib": {"ready": start["again"]["rss_mib"]}}

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


def run(arguments: argparse.Namespace, benches: list[Bench]) -> list[dict[str, Any]]:
    """What was found of each server, cell by cell in turns: each of them has the same hour of the machine."""
    parts = arguments.only.split(",") if arguments.only else PARTS[:-1] if arguments.quick else PARTS
    results = [bench.started() for bench in benches]
    pairs = list(zip(benches, results, strict=True))
    rounds = 1 if arguments.quick else ROUNDS
    for kind in (part for part in parts if part in CONNECTIONS):
        for count in CONNECTIONS[kind]:
            turns = [[bench.requests(kind, count) for bench in benches] for _ in range(rounds)]
            for result, seen in zip(results, zip(*turns, strict=True), strict=True):
                result["requests"].setdefault(kind, {})[str(count)] = middle(seen)
        for bench, result in pairs:
            result["rss_mib"][kind] = rss_mib(bench.server.pid)
    for watchers in WATCHERS[: 2 if arguments.quick else 3] if "watch" in parts else ():
        turns = [[bench.watch(watchers) for bench in benches] for _ in range(rounds)]
        for result, seen in zip(results, zip(*turns, strict=True), strict=True):
            result["watch"][str(watchers)] = middle(seen)
    for what in ("txn", "range") if "etcd" in parts else ():
        results[0]["etcd"][what] = {str(count): benches[0].etcd_alone(what, count) for count in (1, 16, 64)}
    for bench, result in pairs:
        bench.create_many(arguments.creates)
        result["rss_mib"]["end"] = rss_mib(bench.server.pid)
    results[0]["scale"] = Scale(benches[0].server).measured() if "scale" in parts else {}
    for bench, result in pairs:
        result["stop_s"] = bench.server.stop()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench-apiserver", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--creates", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--peer", default="")
    arguments = parser.parse_args()
    programs = [OURS, *([(arguments.peer,)] if arguments.peer else [])]
    began = stolen()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skiff-bench-")))
        benches = []
        for number, program in enumerate(programs):
            etcd = EtcdMember()
            stack.callback(etcd.remove)
            etcd.start()
            server = ApiServer(etcd, directory / str(number), program)
            stack.callback(server.kill)
            benches.append(Bench(server, etcd, 1.0 if arguments.quick else 3.0))
        results = run(arguments, benches)
    result = results[0] | {"machine": table.machine() | {"steal": f"{stolen(began)[0]:.1%}"}}
    if arguments.peer:
        result["peer"] = results[1] | {"label": arguments.peer}
    print(json.dumps(result))
    print(table.shown(result))
    if not arguments.only:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
