"""The benchmark's result as a table, with the ratio to upstream's figure, or to the peer's of this run, wherever there is one."""

import os
import platform
import subprocess
from typing import Any

from tests.bench.apiserver.upstream import AIMS, UPSTREAM, Figures, measured


def machine() -> dict[str, str]:
    etcd = subprocess.run(["etcd", "--version"], capture_output=True, text=True, check=True).stdout.split("\n", 1)[0]
    return {"cores": str(os.cpu_count()), "kernel": platform.release(), "python": platform.python_version(), "etcd": etcd}


def shown(result: dict[str, Any]) -> str:
    beside = measured(result["peer"]["label"], result["peer"]) if "peer" in result else UPSTREAM
    lines = [f"{'':28}{'a second':>10}{'CPU ms':>9}{'p50 ms':>9}{'p99 ms':>9}   {beside.label}"]
    for kind, cells in result["requests"].items():
        for connections, cell in cells.items():
            lines.append(_request_line(kind, int(connections), cell, beside))
    for watchers, cell in result["watch"].items():
        lines += _watch_lines(int(watchers), cell, beside)
    for what, cells in result["etcd"].items():
        for at_once, cell in cells.items():
            lines.append(f"{f'etcd {what} @{at_once}':28}{cell['rate']:>10.0f}   client {cell['client_cpu_us']:.0f} us CPU")
    lines += _start_lines(result, beside)
    if result["scale"]:
        lines += _scale_lines(result["scale"])
    lines.append(f"{'taken by others (steal)':28}{result['machine']['steal']:>10}")
    return "\n".join(lines)


def _request_line(kind: str, connections: int, cell: dict[str, Any], beside: Figures) -> str:
    theirs, cost = beside.rate.get((kind, connections)), beside.cpu_ms.get((kind, connections))
    ratio = f"   {cell['rate'] / theirs:5.2f}x the rate of {theirs:.0f} (aim {AIMS[kind]:g}x)" if theirs else ""
    cpu = f", 1/{cost / cell['cpu_ms']:.1f} of its CPU" if cost and cell["cpu_ms"] else ""
    failed = f"  FAILED {cell['failed']}" if cell["failed"] else ""
    numbers = f"{cell['rate']:>10.0f}{cell['cpu_ms']:>9.3f}{cell['p50_ms']:>9.2f}{cell['p99_ms']:>9.2f}"
    return f"{f'{kind} @{connections}':28}{numbers}{ratio}{cpu}{failed}"


def _watch_lines(watchers: int, cell: dict[str, Any], beside: Figures) -> list[str]:
    theirs, delays = beside.events.get(watchers), beside.paced.get(watchers)
    ratio = f"   {cell['rate'] / theirs:5.2f}x the rate of {theirs:.0f} (aim {AIMS['events']:g}x)" if theirs else ""
    flood, paced = cell["flood"], cell["paced"]
    wrong = f"  LOST {flood['lost']}" if flood["lost"] or flood["uneven"] else ""
    missing = f"  MISSING {paced['missing']}" if paced["missing"] else ""
    rate = f"{cell['rate']:>10.0f}{cell['cpu_us'] / 1e3:>9.4f}"
    delay = f"   (p50 {delays[0]:.2f}, p99 {delays[1]:.2f})" if delays else ""
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


def _start_lines(result: dict[str, Any], beside: Figures) -> list[str]:
    lines = [
        f"{f'ready, {how}':28}{start['ready_s']:>9.2f}s   {start['cpu_s']:.2f} s CPU, {start['rss_mib']:.0f} MiB   "
        f"({beside.ready_s[how]:.2f} s, {beside.rss_mib['ready']:.0f} MiB)"
        for how, start in result["start"].items()
    ]
    for when, mib in result["rss_mib"].items():
        theirs = beside.rss_mib.get(when)
        lines.append(f"{f'RSS after {when}':28}{mib:>7.0f}MiB" + (f"   ({theirs:.0f})" if theirs else ""))
    lines.append(f"{'SIGTERM to the end':28}{result['stop_s']:>9.2f}s")
    return lines
