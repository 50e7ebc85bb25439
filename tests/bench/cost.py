"""Cost: what a running program has taken of the machine, with all the workers that it consists of."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def workers(pid: int) -> list[int]:
    """A program's process and those that it forked to be what it is itself."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children if _command(int(child)) == _command(pid))]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def cpu_seconds(pid: int) -> float:
    """User and system time of a program so far, all its workers and threads."""
    ticks = 0
    for one in workers(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory_mib(pid: int) -> dict[str, float]:
    """Of all its workers: RSS, which counts what they share once for each of them, and PSS, which counts it once."""
    sizes = {"rss_mib": 0.0, "pss_mib": 0.0}
    for one in workers(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("Rss", "Pss"):
                sizes[f"{name.lower()}_mib"] += int(rest.split()[0]) / 1024
    return sizes


def rss_mib(pid: int) -> float:
    return memory_mib(pid)["rss_mib"]
