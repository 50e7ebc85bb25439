"""Archives: how `kubectl cp` carries files, as a tar stream through a container's tar.

What comes out of a container is not to be trusted: nothing is written outside the destination, and links are left out.
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cp/
"""

import os
import posixpath
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from kubectl.errors import CommandError

FORMAT = "filespec must match the canonical format: [[namespace/]pod:]file/path"


@dataclass(frozen=True)
class Place:
    """A file or directory, in a pod or (without one) here."""

    path: str
    pod: str = ""
    namespace: str = ""

    @property
    def name(self) -> str:
        return posixpath.basename(posixpath.normpath(self.path))


def place(text: str) -> Place:
    """`[[NAMESPACE/]POD:]PATH`. Raises CommandError. Pure."""
    pod, colon, path = text.partition(":")
    if not colon:
        return Place(text)
    if not pod:
        raise CommandError(FORMAT)
    parts = pod.split("/")
    if len(parts) == 1:
        return Place(path, parts[0])
    if len(parts) == 2 and all(parts):
        return Place(path, parts[1], parts[0])
    raise CommandError(FORMAT)


def pack(source: Path, name: str, into: BinaryIO) -> None:
    """A file, or a directory with all that is below it, under another name. Links stay links."""
    with tarfile.open(fileobj=into, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        archive.add(source, arcname=name, recursive=True)


@dataclass(frozen=True)
class Unpacking:
    """From a tar stream to the destination: `source` is the path that the entries begin with."""

    source: str
    destination: Path
    warn: Callable[[str], None]

    def run(self, stream: BinaryIO) -> int:
        """The number of entries. Raises CommandError where the stream holds what was not asked for."""
        count = 0
        prefix = stripped(self.source)
        root = self.destination
        if root.is_dir():
            root = root / posixpath.basename(prefix)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                count += 1
                target = self._target(root, prefix, _relative(entry.name))
                if target is not None:
                    self._write(archive, entry, target)
        return count

    def _target(self, root: Path, prefix: str, name: str) -> Path | None:
        if name != prefix and not name.startswith(f"{prefix}/" if prefix else ""):
            _corrupted()
        target = Path(os.path.normpath(root / name.removeprefix(prefix).lstrip("/")))
        if not target.is_relative_to(os.path.normpath(root)):
            self.warn(f'warning: file "{target}" is outside target destination, skipping')
            return None
        return target

    def _write(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, target: Path) -> None:
        if entry.isdir():
            target.mkdir(parents=True, exist_ok=True)
            return
        if entry.issym() or entry.islnk():
            self.warn(f'warning: skipping symlink: "{target}" -> "{entry.linkname}"')
            return
        content = archive.extractfile(entry)
        if content is None:
            return  # a device or a pipe: there is nothing to copy
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)


def stripped(path: str) -> str:
    """Without what leads out of, or to the root of, a directory: as entries of an archive are named. Pure."""
    clean = posixpath.normpath(path).lstrip("/")
    while clean == ".." or clean.startswith("../"):
        clean = clean[3:]
    return "" if clean == "." else clean


def _relative(name: str) -> str:
    """An entry's name without what it begins with that leads elsewhere; what comes later must be looked at by who writes."""
    while (rest := name.removeprefix("/").removeprefix("./").removeprefix("../")) != name:
        name = rest
    return name


def _corrupted() -> NoReturn:
    raise CommandError("tar contents corrupted")
