"""Node info: what the machine says of itself. Reads files and asks the kernel.

https://kubernetes.io/docs/reference/node/node-status/
"""

import os
import platform
import socket
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from kube.api import quantity
from kube.client.version import GIT_VERSION, MACHINE

TEST_NETWORK = ("192.0.2.1", 9)  # RFC 5737: nobody's; connecting a UDP socket sends nothing, and tells the address it would use


@dataclass(frozen=True)
class Machine:
    """What does not change while it runs."""

    cpus: int
    memory: int  # bytes
    storage: int  # bytes of the file system below --root-dir
    info: dict[str, str]  # NodeSystemInfo
    huge_pages: dict[str, str] = field(default_factory=dict)  # by resource: hugepages-2Mi


def read_machine(root: Path, runtime_version: str) -> Machine:
    memory = _meminfo()["MemTotal"]
    disk = os.statvfs(root)
    return Machine(os.cpu_count() or 1, memory, disk.f_blocks * disk.f_frsize, system_info(runtime_version), huge_pages())


def system_info(runtime_version: str) -> dict[str, str]:
    machine_id = _line("/etc/machine-id")
    return {
        "machineID": machine_id,
        "systemUUID": _line("/sys/class/dmi/id/product_uuid") or machine_id,
        "bootID": _line("/proc/sys/kernel/random/boot_id"),
        "kernelVersion": platform.release(),
        "osImage": _os_image(),
        "containerRuntimeVersion": runtime_version,
        "kubeletVersion": GIT_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": MACHINE,
    }


def huge_pages(directory: Path = Path("/sys/kernel/mm/hugepages")) -> dict[str, str]:
    """Of each size that the kernel knows, as quantities: `hugepages-2048kB` there is `hugepages-2Mi` here."""
    found = {}
    for one in sorted(directory.glob("hugepages-*kB")):
        size = int(one.name.removeprefix("hugepages-").removesuffix("kB")) * 1024
        amount = int((one / "nr_hugepages").read_text()) * size
        found[f"hugepages-{quantity.render(Decimal(size), 'binary')}"] = quantity.render(Decimal(amount), "binary")
    return found


def own_address() -> str:
    """The address that this machine would use to reach the world."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(TEST_NETWORK)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _meminfo() -> dict[str, int]:
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1}


def _os_image() -> str:
    for line in _text("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def _line(path: str) -> str:
    return _text(path).strip()


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
