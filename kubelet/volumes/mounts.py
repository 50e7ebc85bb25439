"""Mounts: what the kubelet mounts for volumes: memory file systems, and parts of volumes in another place.

What is mounted is asked of the kernel, never guessed from devices: a bind within one file system looks like a plain directory.
https://man7.org/linux/man-pages/man2/mount.2.html · https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
"""

import asyncio
import contextlib
import ctypes
import os
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubelet.disk_usage import VolumeUsage, file_system, whole

_LOOKS = ThreadPoolExecutor(2, "volumes looked at")  # whoever hangs in one holds up nothing else
_LIBC = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_BIND, MS_REC = 1, 4096, 16384
MNT_DETACH = 2

MOUNTINFO = Path("/proc/self/mountinfo")
MOUNT_POINT = 4  # the field's place in a line
_ESCAPE = re.compile(rb"\\([0-7]{3})")


def mounted_below(directory: Path) -> list[Path]:
    """The mount points at and below a directory, the deepest first; one for each mount, where some lie over others."""
    found = []
    for line in MOUNTINFO.read_bytes().splitlines():
        escaped = line.split(b" ")[MOUNT_POINT]
        point = Path(os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match.group(1), 8)]), escaped)))
        if point.is_relative_to(directory):
            found.append(point)
    return sorted(found, reverse=True)


def is_mounted(path: Path) -> bool:
    return path in mounted_below(path)


async def usage(path: Path) -> VolumeUsage | None:
    """How full what is mounted there is; None where nothing is. May take for ever: of a share whose server is away."""
    return await asyncio.get_running_loop().run_in_executor(_LOOKS, _usage, path)


def _usage(path: Path) -> VolumeUsage | None:
    return whole(file_system(path)) if is_mounted(path) else None


def memory(path: Path, size: int = 0) -> None:
    """Mount a tmpfs there, unless something is; `size` in bytes, 0 for the kernel's default."""
    path.mkdir(parents=True, exist_ok=True)
    if not is_mounted(path):
        _mount(b"tmpfs", path, b"tmpfs", 0, f"size={size}".encode() if size else b"")


def huge_pages(path: Path, size: int) -> None:
    """Mount a file system of pages of that size (bytes) there, unless something is."""
    if not is_mounted(path):
        _mount(b"nodev", path, b"hugetlbfs", 0, f"pagesize={size}".encode())


def bind(descriptor: int, target: Path) -> None:
    """Show an open file or directory at another place."""
    _mount(f"/proc/self/fd/{descriptor}".encode(), target, None, MS_BIND | MS_REC, None)


def overlay(layers: Sequence[str], target: Path) -> None:
    """Lay directories over one another, the top one first, to be read."""
    _mount(b"overlay", target, b"overlay", MS_RDONLY, f"lowerdir={':'.join(layers)}".encode())


def unmount_below(directory: Path) -> None:
    """Undo every mount at and below a directory."""
    for point in mounted_below(directory):
        if _LIBC.umount2(os.fsencode(point), MNT_DETACH) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot unmount: {os.strerror(number)}", str(point))


def release(path: Path) -> None:
    """Unmount what others keep data in, and remove the place that showed it: never what is in it."""
    unmount_below(path)
    with contextlib.suppress(FileNotFoundError):
        path.rmdir()


def remove(directory: Path) -> None:
    """Unmount what is there, and remove the directory and all in it."""
    unmount_below(directory)
    shutil.rmtree(directory, ignore_errors=True)


def _mount(source: bytes, target: Path, kind: bytes | None, flags: int, options: bytes | None) -> None:
    if _LIBC.mount(source, os.fsencode(target), kind, flags, options) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot mount: {os.strerror(number)}", str(target))
