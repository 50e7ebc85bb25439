"""Atomic writer: a set of files that changes all at once.

Files live in a directory named by the time, `..data` is a link to it, and what users see are links through `..data`. A change
writes a new directory, then renames a new link over `..data`: a reader sees all old files or all new ones.

    token -> ..data/token      ..data -> ..2026_01_02_03_04_05.123456789

https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically · upstream
pkg/volume/util/atomic_writer.go
"""

import os
import shutil
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

DATA = "..data"
NEW_DATA = "..data_tmp"


class File(NamedTuple):
    content: bytes
    mode: int
    owner: int | None = None  # a uid


def write(directory: Path, files: Mapping[str, File], group: int | None, now: datetime) -> bool:
    """Make the directory show exactly these files (relative paths); returns whether anything changed."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    if _shows(directory / DATA, files, group):
        return False
    fresh = directory / f"..{now:%Y_%m_%d_%H_%M_%S}.{os.urandom(4).hex()}"
    fresh.mkdir(mode=0o755)
    try:
        for name, file in files.items():
            _write_file(fresh / name, file, group)
        _own(fresh, group)
    except OSError:  # a full disk is not made fuller by each try
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    link = directory / NEW_DATA
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.replace(directory / DATA)
    _show_names(directory, {name.split("/")[0] for name in files})
    _forget_others(directory, fresh)
    return True


def _forget_others(directory: Path, fresh: Path) -> None:
    """Earlier files, also those of a kubelet that was killed in the midst."""
    for entry in directory.iterdir():
        if entry.name.startswith("..") and entry.is_dir() and not entry.is_symlink() and entry != fresh:
            shutil.rmtree(entry, ignore_errors=True)


def _write_file(path: Path, file: File, group: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    path.chmod(_mode(file, group))
    if file.owner is not None or group is not None:
        os.chown(path, -1 if file.owner is None else file.owner, -1 if group is None else group)


def _mode(file: File, group: int | None) -> int:
    """With a group of its own, the pod may read what its owner may."""
    return file.mode if group is None else file.mode | (file.mode & stat.S_IRUSR) >> 3


def _own(directory: Path, group: int | None) -> None:
    """The new tree's directories belong to the group, and so does what is made in them."""
    if group is None:
        return
    for parent, _, _ in os.walk(directory):
        os.chown(parent, -1, group)
        os.chmod(parent, 0o2775)


def _shows(data: Path, files: Mapping[str, File], group: int | None) -> bool:
    if not data.exists():
        return False
    present = {str(path.relative_to(data)): path for path in data.rglob("*") if path.is_file()}
    return present.keys() == files.keys() and all(
        path.read_bytes() == files[name].content and stat.S_IMODE(path.stat().st_mode) == _mode(files[name], group)
        for name, path in present.items()
    )


def _show_names(directory: Path, names: set[str]) -> None:
    for entry in directory.iterdir():
        if not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"{DATA}/{name}")
