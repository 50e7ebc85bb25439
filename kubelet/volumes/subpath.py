"""SubPath: a part of a volume as a mount of its own, which cannot lead out of the volume.

The path is resolved, walked again one directory at a time without following links, and bind-mounted from the open file: a link
that a container swaps in meanwhile changes nothing. https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath ·
CVE-2017-1002101, CVE-2021-25741 · upstream pkg/volume/util/subpath
"""

import os
import stat
from pathlib import Path

from kubelet.volumes import mounts
from kubelet.volumes.volume import VolumeError


def check(subpath: str) -> None:
    """Raises VolumeError for a path that cannot be a part of anything."""
    if subpath.startswith("/"):
        raise VolumeError(f"error SubPath `{subpath}` must not be an absolute path")
    if ".." in subpath.split("/"):
        raise VolumeError(f"unable to provision SubPath `{subpath}`: must not contain '..'")


def mount(volume: Path, subpath: str, target: Path) -> Path:
    """Bind the volume's subpath to `target`; a directory that is absent is made, with the mode of the volume's top. What is bound
    already stays, unless the path means another file by now: a config map's was replaced. Raises VolumeError where it leads
    outside."""
    root = volume.resolve()
    if root.is_file():
        raise VolumeError(f"failed to prepare subPath: volume {volume} is a file")
    resolved = (root / subpath).resolve()
    if not resolved.is_relative_to(root):
        raise VolumeError(f'failed to prepare subPath: "{subpath}" leads out of the volume')
    descriptor = _open(root, resolved.relative_to(root).parts)
    try:
        if not _is_bound(descriptor, target):
            _bind(descriptor, target)
    finally:
        os.close(descriptor)
    return target


def _open(root: Path, parts: tuple[str, ...]) -> int:
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    for part in parts:
        parent = descriptor
        try:
            descriptor = _open_below(parent, part, mode)
        finally:
            os.close(parent)
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise VolumeError(f"failed to prepare subPath: {part} became a link")
    return descriptor


def _open_below(parent: int, name: str, mode: int) -> int:
    try:
        return os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(name, mode, dir_fd=parent)
        made = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
        if stat.S_ISDIR(os.fstat(made).st_mode):
            os.chmod(f"/proc/self/fd/{made}", mode)  # what was made, also where the umask took something away
        return made


def _is_bound(descriptor: int, target: Path) -> bool:
    """Whether the target shows this file. Another one is taken from there."""
    if not mounts.is_mounted(target):
        return False
    if os.path.samestat(os.fstat(descriptor), target.stat()):
        return True
    mounts.unmount_below(target)
    if target.is_dir():
        target.rmdir()
    else:
        target.unlink()
    return False


def _bind(descriptor: int, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    try:
        mounts.bind(descriptor, target)
    except OSError as error:
        raise VolumeError(f"failed to prepare subPath: {error}") from error
