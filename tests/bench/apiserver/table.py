"""The benchmark's result as a table, with the ratio to upstream's figure wherever there is one."""

import os
import platform
import subprocess
from typing import Any

from tests.bench.apiserver import upstream


def machine() -> dict[str, str]:
    etcd = subprocess.run(["etcd", "--version"], capture_output=True, text=True, check=True).stdout.split("\n", 1)[0]
    return {"cores": str(os.cpu_count()), "kernel": platform.release(), "python": platform.python_version(), "etcd": etcd}


def shown(result: dict[str, Any]) -> str:
    lines = [f"{'':28}{'a second':>10}{'CPU ms':>9}{'p50 ms':>9}{'p99 ms':>9}   {upstream.LABEL}"]
    for kind, cells in result["requests"].items():
        for connections, cell in cells.items():
            lines.append(_request_line(kind, int(connections), cell))
    for watchers, cell in result["watch"].items():
        lines += _watch_lines(int(watchers), cell)
    for what, cells in result["etcd"].items():
        for at_once, cell in cells.items():
            lines.append(f"{f'etcd {what} @{at_once}':28}{cell['rate']:>10.0f}   client {cell['client_cpu_us']:.0f} us CPU")
    lines += _start_lines(result)
    if result["scale"]:
        lines += _scale_lines(result["scale"])
    return "\n".join(lines)


def _request_line(kind: str, connections: int, cell: dict[str, Any]) -> str:
    theirs = upstream.RATE.get((kind, connections))
    cpu = upstream.CPU_MS[kind] / cell["cpu_ms"] if cell["cpu_ms"] else 0.0
    ratio = f"{cell['rate'] / theirs:5.2f}x the rate, " if theirs else " " * 17
    failed = f"  FAILED {cell['failed']}" if cell["failed"] else ""
    numbers = f"{cell['rate']:>10.0f}{cell['cpu_ms']:>9.3f}{cell['p50_ms']:>9.2f}{cell['p99_ms']:>9.2f}"
    aim = f" (aim {upstream.AIMS[kind]:g}x)" if theirs else ""
    return f"{f'{kind} @{connections}':28}{numbers}   {ratio}1/{cpu:.1f} of the CPU{aim}{failed}"


def _watch_lines(watchers: int, cell: dict[str, Any]) -> list[str]:
    theirs = upstream.EVENTS_A_SECOND.get(watchers)
    ratio = f"   {cell['rate'] / theirs:.2f}x the rate (aim {upstream.AIMS['events']:g}x)" if theirs else ""
    flood, paced = cell["flood"], cell["paced"]
    wrong = f"  LOST {flood['lost']}" if flood["lost"] or flood["fewest"] != flood["most"] else ""
    missing = f"  MISSING {paced['missing']}" if paced["missing"] else ""
    rate = f"{cell['rate']:>10.0f}{cell['cpu_us'] / 1e3:>9.4f}"
    delay = f"   (p50 {upstream.PACED_P50_MS}, p99 {upstream.PACED_P99_MS})" if theirs else ""
    return [
        f"{f'events to {watchers}':28}{rate}{'':18}{ratio}  {cell['writes_s']:.0f} writes/s{wrong}",
        f"{f'  at {paced_rate(cell)} writes a second':28}{'':19}{paced['p50_ms']:>9.2f}{paced['p99_ms']:>9.2f}{delay}{missing}",
    ]


def _scale_lines(scale: dict[str, Any]) -> list[str]:
    pods, kubelets, events = scale["pods"], scale["kubelets"], scale["events"]
    grown = (pods["rss_mib"] - pods["rss_before_mib"]) * 1024 / pods["count"]
    return [
        f"{'RSS with ' + str(pods['count']) + ' pods':28}{pods['rss_mib']:>7.0f}MiB   {grown:.1f} KiB a pod",
        *(
            f"{'list ' + name:28}{1 / cell['seconds'] * cell['count']:>10.0f}{cell['cpu_ms']:>9.2f}   {cell['bytes'] / 1e6:.2f} MB"
            for name, cell in scale["list"].items()
        ),
        f"{'write, a watch on each node':28}{'':10}{kubelets['cpu_ms']:>9.2f}   {kubelets['ratio']:.2f}x as without",
        f"{'event, of the last 1,000':28}{'':10}{events['last_cpu_ms']:>9.2f}   {events['ratio']:.2f}x the first 1,000",
        *(
            f"{f'deletecollection {what}':28}{cell['count'] / cell['seconds']:>10.0f}{cell['cpu_ms']:>9.2f}   {cell['left']} left"
            for what, cell in scale["delete"].items()
        ),
    ]


def paced_rate(cell: dict[str, Any]) -> int:
    return int(cell["paced_writes_s"])


def _start_lines(result: dict[str, Any]) -> list[str]:
    lines = [
        f"{f'ready, {how}':28}{start['ready_s']:>9.2f}s   {start['cpu_s']:.2f} s CPU, {start['rss_mib']:.0f} MiB   "
        f"(upstream {upstream.READY_SECONDS} s, {upstream.READY_RSS_MIB:.0f} MiB)"
        for how, start in result["start"].items()
    ]
    for when, mib in result["rss_mib"].items():
        theirs = upstream.RSS_MIB.get(when)
        lines.append(f"{f'RSS after {when}':28}{mib:>7.0f}MiB" + (f"   ({theirs:.0f})" if theirs else ""))
    lines.append(f"{'SIGTERM to the end':28}{result['stop_s']:>9.2f}s")
    return lines
