"""Cgroup usage: what a container or a pod uses now, by the kernel's accounts. Reads cgroup files, of version 1 or 2.

A file that is not there (a controller that this kernel lacks, a container that just ended) counts as nothing.
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html · https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from dataclasses import dataclass
from pathlib import Path

from kube.api.types import Pod
from kubelet.resources import cgroup_segments

TICK_NANOSECONDS = 10_000_000  # of /proc/stat: a hundredth of a second
UNLIMITED = 1 << 60  # version 1 has no word for "unlimited", but a very large number


@dataclass(frozen=True)
class Usage:
    """Memory in bytes. The working set is what the kernel would not give up first: the usage without inactive file pages."""

    cpu_nanoseconds: int = 0
    user_nanoseconds: int = 0
    system_nanoseconds: int = 0
    memory: int = 0
    working_set: int = 0
    resident: int = 0  # anonymous memory
    cache: int = 0
    swap: int = 0
    memory_limit: int = 0  # 0: unlimited
    page_faults: int = 0
    major_page_faults: int = 0
    processes: int = 0


def usage_of(mount: Path, below: str) -> Usage:
    """What is used in one cgroup and all below it."""
    return _version_2(mount / below) if (mount / "cgroup.controllers").exists() else _version_1(mount, below)


def cgroup_path(pod: Pod, container_id: str, root: str, driver: str) -> str:
    """Where the pod's cgroup is, or one of its containers', below the mount."""
    segments = cgroup_segments(pod)
    if driver == "systemd":
        words = [segment.replace("-", "_") for segment in segments]
        slices = ["-".join(words[: depth + 1]) + ".slice" for depth in range(len(words))]
        return "/".join([*slices, *([f"docker-{container_id}.scope"] if container_id else [])])
    return "/".join([part for part in (root.strip("/"), *segments, container_id) if part])


def machine_usage(proc: Path = Path("/proc")) -> Usage:
    """What the whole machine uses."""
    info = fields(proc / "meminfo", ":", 1024)
    ticks = [int(word) for word in (proc / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = ticks
    vm = fields(proc / "vmstat")
    total = info.get("MemTotal", 0)
    return Usage(
        cpu_nanoseconds=(user + nice + system + irq + softirq + steal) * TICK_NANOSECONDS,
        user_nanoseconds=(user + nice) * TICK_NANOSECONDS,
        system_nanoseconds=(system + irq + softirq) * TICK_NANOSECONDS,
        memory=total - info.get("MemFree", 0),
        working_set=total - info.get("MemAvailable", 0),
        resident=info.get("AnonPages", 0),
        cache=info.get("Cached", 0),
        swap=info.get("SwapTotal", 0) - info.get("SwapFree", 0),
        memory_limit=total,
        page_faults=vm.get("pgfault", 0),
        major_page_faults=vm.get("pgmajfault", 0),
    )


def _version_1(mount: Path, below: str) -> Usage:
    memory, accounts = mount / "memory" / below, mount / "cpuacct" / below
    stat, split = fields(memory / "memory.stat"), fields(accounts / "cpuacct.stat")
    used, limit = number(memory / "memory.usage_in_bytes"), number(memory / "memory.limit_in_bytes")
    return Usage(
        cpu_nanoseconds=number(accounts / "cpuacct.usage"),
        user_nanoseconds=split.get("user", 0) * TICK_NANOSECONDS,
        system_nanoseconds=split.get("system", 0) * TICK_NANOSECONDS,
        memory=used,
        working_set=max(0, used - stat.get("total_inactive_file", 0)),
        resident=stat.get("total_rss", 0),
        cache=stat.get("total_cache", 0),
        swap=stat.get("total_swap", 0),
        memory_limit=0 if limit >= UNLIMITED else limit,
        page_faults=stat.get("total_pgfault", 0),
        major_page_faults=stat.get("total_pgmajfault", 0),
        processes=number(mount / "pids" / below / "pids.current"),
    )


def _version_2(directory: Path) -> Usage:
    stat, cpu = fields(directory / "memory.stat"), fields(directory / "cpu.stat")
    used = number(directory / "memory.current")
    return Usage(
        cpu_nanoseconds=cpu.get("usage_usec", 0) * 1000,
        user_nanoseconds=cpu.get("user_usec", 0) * 1000,
        system_nanoseconds=cpu.get("system_usec", 0) * 1000,
        memory=used,
        working_set=max(0, used - stat.get("inactive_file", 0)),
        resident=stat.get("anon", 0),
        cache=stat.get("file", 0),
        swap=number(directory / "memory.swap.current"),
        memory_limit=number(directory / "memory.max"),
        page_faults=stat.get("pgfault", 0),
        major_page_faults=stat.get("pgmajfault", 0),
        processes=number(directory / "pids.current"),
    )


def number(path: Path) -> int:
    """The one number of a file; 0 where there is none (or the word "max")."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def fields(path: Path, separator: str = " ", unit: int = 1) -> dict[str, int]:
    """Lines of a name and a number."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition(separator) for line in lines)
    return {name: int(value.split()[0]) * unit for name, _, value in pairs if value.split() and value.split()[0].isdigit()}
