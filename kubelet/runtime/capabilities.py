"""Capabilities: which the machine lets the engine give away.

A machine may itself run with a bounded set (a container, a small virtual machine). There `privileged: true` and
`capabilities.add: [ALL]` fail in the engine, because it asks for all that exist. Our choice: give all that there are, and say
so in an event.
https://man7.org/linux/man-pages/man7/capabilities.7.html
"""

import os
from pathlib import Path
from typing import Any

NAMES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO",
    "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG",
    "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM",
    "BLOCK_SUSPEND", "AUDIT_READ",
)  # fmt: skip
"""In the kernel's order: a name's place is its bit. Those after AUDIT_READ are unknown to Docker 20.10, and left out."""


def bounding_set(status: str) -> frozenset[str]:
    """The names in the CapBnd line of a /proc/<pid>/status text."""
    mask = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapBnd:"))
    return frozenset(name for bit, name in enumerate(NAMES) if mask >> bit & 1)


def of_this_process() -> frozenset[str]:
    return bounding_set(Path("/proc/self/status").read_text())


def emulated_privileges(capabilities: frozenset[str]) -> dict[str, Any] | None:
    """The engine's fields that come closest to `privileged` with a bounded set; None where nothing is missing."""
    if len(capabilities) == len(NAMES):
        return None
    return {
        "Privileged": False,
        "CapAdd": sorted(capabilities),
        "CapDrop": [],
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "MaskedPaths": [],
        "ReadonlyPaths": [],
        "Devices": _devices(),
        "DeviceCgroupRules": ["a *:* rwm"],
    }


def _devices(root: str = "/dev") -> list[dict[str, str]]:
    """Every device node of the host, as the engine wants devices listed."""
    nodes = (entry for entry in os.scandir(root) if not entry.is_symlink() and not entry.is_dir())
    paths = sorted(entry.path for entry in nodes if entry.name not in ("console", "ptmx"))
    return [{"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"} for path in paths]
