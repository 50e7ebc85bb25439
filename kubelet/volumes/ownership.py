"""Ownership: gives a volume's files to the pod's group (`fsGroup`), so that containers without root may use them.

Files become the group's, readable and writable for it; directories pass the group on to what is made in them. With the policy
OnRootMismatch a volume whose top is right already is left as it is; links are never followed.
https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods
upstream pkg/volume/volume_linux.go
"""

import os
import stat
from pathlib import Path

READ_WRITE, READ_ONLY = 0o660, 0o440
DIRECTORY = stat.S_ISGID | 0o110


def give(root: Path, group: int, *, policy: str = "Always", read_only: bool = False) -> None:
    """`policy` is the pod's fsGroupChangePolicy."""
    rights = READ_ONLY if read_only else READ_WRITE
    if policy == "OnRootMismatch" and _is_right(root, group, rights):
        return
    for directory, _, names in os.walk(root, topdown=False):  # the top last: a walk that was cut short begins anew
        for name in names:
            _give_one(Path(directory, name), group, rights)
        for entry in os.scandir(directory):
            if entry.is_symlink() and entry.is_dir():
                os.chown(entry.path, -1, group, follow_symlinks=False)
        _give_one(Path(directory), group, rights)


def _is_right(root: Path, group: int, rights: int) -> bool:
    found = root.stat()
    wanted = rights | DIRECTORY
    return found.st_gid == group and found.st_mode & wanted == wanted


def _give_one(path: Path, group: int, rights: int) -> None:
    mode = path.lstat().st_mode
    os.chown(path, -1, group, follow_symlinks=False)
    if stat.S_ISLNK(mode):
        return
    path.chmod(stat.S_IMODE(mode) | rights | (DIRECTORY if stat.S_ISDIR(mode) else 0))
