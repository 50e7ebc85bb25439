"""Memory file systems: a tmpfs for what must not reach a disk, or what a user wants in memory.

https://kubernetes.io/docs/concepts/storage/volumes/#emptydir · mount(2)
"""

import ctypes
import errno
import os
import shutil
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2


def mount(path: Path, size: int = 0) -> None:
    """Mount a tmpfs there, unless one is; `size` in bytes, 0 for the kernel's default."""
    path.mkdir(parents=True, exist_ok=True)
    if path.is_mount():
        return
    options = f"size={size}" if size else ""
    if _LIBC.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"cannot mount a tmpfs: {os.strerror(ctypes.get_errno())}", str(path))


def unmount(path: Path) -> None:
    """Unmount what is there, and remove the directory and all in it."""
    while path.is_mount():
        if _LIBC.umount2(os.fsencode(path), MNT_DETACH) != 0:
            number = ctypes.get_errno()
            if number in (errno.EINVAL, errno.ENOENT):
                break
            raise OSError(number, f"cannot unmount: {os.strerror(number)}", str(path))
    shutil.rmtree(path, ignore_errors=True)
