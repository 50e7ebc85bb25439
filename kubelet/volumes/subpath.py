"""SubPath: a part of a volume as a mount of its own, which cannot lead out of the volume.

The path is resolved, walked again one directory at a time without following links, and bind-mounted from the open file: a link
that a container swaps in meanwhile changes nothing. https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath ·
CVE-2017-1002101, CVE-2021-25741 · upstream pkg/volume/util/subpath
"""

import ctypes
import os
import stat
from pathlib import Path

from kubelet.volumes.memory import MNT_DETACH
from kubelet.volumes.volume import VolumeError

_LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_REC = 4096, 16384
DIRECTORY_MODE = 0o750


def mount(volume: Path, subpath: str, target: Path) -> Path:
    """Bind the volume's subpath to `target`; a directory that is absent is made. Raises VolumeError where it leads outside."""
    if subpath.startswith("/") or ".." in subpath.split("/"):
        raise VolumeError(f"failed to prepare subPath: {subpath} must be relative and not contain '..'")
    if target.is_mount():
        return target
    root = volume.resolve()
    if root.is_file():
        raise VolumeError(f"failed to prepare subPath: volume {volume} is a file")
    resolved = (root / subpath).resolve()
    if not resolved.is_relative_to(root):
        raise VolumeError(f'failed to prepare subPath: "{subpath}" leads out of the volume')
    descriptor = _open(root, resolved.relative_to(root).parts)
    try:
        _bind(descriptor, target)
    finally:
        os.close(descriptor)
    return target


def _open(root: Path, parts: tuple[str, ...]) -> int:
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    for part in parts:
        parent = descriptor
        try:
            descriptor = _open_below(parent, part)
        finally:
            os.close(parent)
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise VolumeError(f"failed to prepare subPath: {part} became a link")
    return descriptor


def _open_below(parent: int, name: str) -> int:
    try:
        return os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(name, DIRECTORY_MODE, dir_fd=parent)
        return os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)


def _bind(descriptor: int, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    source = f"/proc/self/fd/{descriptor}".encode()
    if _LIBC.mount(source, os.fsencode(target), None, MS_BIND | MS_REC, None) != 0:
        number = ctypes.get_errno()
        raise VolumeError(f"failed to prepare subPath: cannot bind {target}: {os.strerror(number)}")


def unmount_all(directory: Path) -> None:
    """Undo every mount below a pod's volume-subpaths."""
    for path in sorted(directory.rglob("*"), reverse=True):
        if path.is_mount():
            _LIBC.umount2(os.fsencode(path), MNT_DETACH)
        elif path.is_dir():
            path.rmdir()
            continue
        path.rmdir() if path.is_dir() else path.unlink()
