"""What a node is aimed at, beside what was measured: the lines of the table that `make bench-node` prints. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Line(NamedTuple):
    """`aim` is the most that may be measured, or the least where `least`; None: told without an aim."""

    what: str
    value: float
    unit: str = ""
    aim: float | None = None
    least: bool = False

    @property
    def met(self) -> bool:
        return self.aim is None or (self.value >= self.aim if self.least else self.value <= self.aim)


def lines(result: dict[str, Any]) -> Iterator[Line]:
    engine = 0.0
    for name, one in result["starts"].items():
        yield Line(f"pod start, {name}: engine alone p50", one["docker"]["p50_s"], "s")
        yield Line(f"pod start, {name}: p50", one["pod"]["p50_s"], "s")
        yield Line(f"pod start, {name}: p99", one["pod"]["p99_s"], "s")
        yield Line(f"pod start, {name}: p50 to the engine's", one["ratio_p50"], "x", 1.3)
        engine = max(engine, one["docker_per_second"])
    full = result["full node"]
    yield Line("pods a second, sustained", full["sustained_pods_per_second"], "/s")
    yield Line("pods a second to the engine's best", full["sustained_pods_per_second"] / engine, "x", 0.85, least=True)
    network = result["pod network"]
    yield Line("pod network: set-up p50", network["set-up p50 ms"], "ms", 10)
    yield Line("pod network: set-up p99", network["set-up p99 ms"], "ms")
    for name in ("bare link", "pods by host-routes", "pods by vxlan"):
        yield Line(f"between nodes: {name}", network[f"{name} Gbit/s"], "Gbit/s")
    yield Line(f"kubelet of {full['pods']} idle pods: CPU", full["idle_cpu_percent"], "%", 5)
    yield Line(f"kubelet of {full['pods']} idle pods: memory (RSS)", full["rss_mib"], "MiB", 150)
    yield Line("Ready to reachable through a Service: p99", 1000 * result["reachable"]["p99_s"], "ms", 100)
    yield Line("kubectl exec true", result["exec"]["kubectl_exec_s"], "s")
    yield Line("kubectl get pod, beside it", result["exec"]["kubectl_get_s"], "s")
    yield Line("kubectl logs -f", result["logs"]["mb_per_s"], "MB/s")
    yield Line("kubectl logs -f: share of the lines", result["logs"]["received_share"], "", 1, least=True)
    flood = result["flood"]
    yield Line("a pod that writes", flood["mb_per_s"], "MB/s")
    yield Line("a pod that writes: kubelet's CPU", flood["kubelet_cpu_percent"], "%")
    yield Line("a pod that writes: on disk", flood["on_disk_mb"], "MB", 110)
    yield from _dns(result["dns"])
    yield from _services(result["services"])


def _dns(dns: dict[str, Any]) -> Iterator[Line]:
    yield Line("DNS answers a second of a core", dns["answers_per_core_second"], "/s", dns["aim_answers_per_second"], least=True)
    for name, value in dns.items():
        if name.endswith("_ms") and not name.startswith("aim"):
            yield Line(f"DNS at half of that: {name}", value, "ms", dns["aim_p99_ms"] if "p99" in name else None)


def _services(modes: dict[str, dict[str, float]]) -> Iterator[Line]:
    for mode, measured in modes.items():
        for name, value in measured.items():
            aim = SERVICE_AIMS.get(name) if mode == "nftables" else None
            yield Line(f"Services, {mode}: {name}", value, "us" if name.endswith("us") else "ms", aim)


SERVICE_AIMS = {"5000 from nothing": 500.0, "5000 one endpoint changed p50": 5.0}


def table(result: dict[str, Any]) -> list[str]:
    found = [f"{'':62}{'measured':>12} {'':8}{'aim':>10}"]
    for one in lines(result):
        aim = "" if one.aim is None else f"{'>=' if one.least else '<='} {one.aim:g}"
        found.append(f"{one.what:62}{one.value:12.3f} {one.unit:8}{aim:>10}{'' if one.met else '  missed'}")
    return found
