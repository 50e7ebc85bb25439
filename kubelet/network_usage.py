"""Network usage: what went through the interfaces of a network namespace, as one of its processes sees them.

https://man7.org/linux/man-pages/man5/proc_pid_net.5.html (/proc/<pid>/net/dev)
"""

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "lo"
PROC = Path("/proc")


@dataclass(frozen=True)
class Interface:
    name: str
    received_bytes: int
    received_packets: int
    receive_errors: int
    receive_dropped: int
    sent_bytes: int
    sent_packets: int
    send_errors: int
    send_dropped: int


def interfaces(pid: int | str) -> list[Interface]:
    """Of the namespace of that process (or "self"), without loopback; none where it has ended."""
    try:
        text = (PROC / str(pid) / "net" / "dev").read_text()
    except OSError:
        return []
    return parse(text)


def parse(text: str) -> list[Interface]:
    """Pure."""
    found = []
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        n = [int(word) for word in rest.split()]
        if name.strip() != LOOPBACK:
            found.append(Interface(name.strip(), n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]))
    return found
