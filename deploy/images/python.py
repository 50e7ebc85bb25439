"""An image that runs one of our own programs: this interpreter, its standard library, some installed packages, our own code.

No registry and no package manager: what runs here, runs there. The image holds `/python` (bin, lib) with everything that Python
looks up below its prefix, and `/lib` with the shared libraries that the dynamic linker found for them on this machine. Compiled
modules come along as they lie (`__pycache__`), with the times they were compiled for, so a start compiles nothing.

The tag is a digest of the files' names, sizes and times: the same machine gives the same tag without reading a file, and an
upgrade gives another one.
"""

import functools
import hashlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.images.archive import Layer, archive

PREFIX = "python"
LIBRARY = f"{PREFIX}/lib/python{sys.version_info.major}.{sys.version_info.minor}"
OWN_CODE = Path(__file__).parents[2]
# What a server has no use for, by its first name below the standard library.
UNUSED = frozenset((
    "test", "idlelib", "tkinter", "turtledemo", "turtle", "ensurepip", "lib2to3", "distutils", "pydoc_data", "site-packages",
    "dist-packages",
))  # fmt: skip
UNUSED_EXTENSION = re.compile(r"(_tkinter|_sqlite3|_curses\w*|_dbm|_gdbm|readline|nis|ossaudiodev|xx\w*|_(ctypes_)?test\w*)\.")
KEPT_SUFFIXES = (".py", ".pyc", ".pem", ".json", ".yaml", ".txt")
TESTS = re.compile(r"(^|/)(tests?|testing)/")
LIBRARY_LINE = re.compile(r"(?:\S+ => )?(/\S+) \(0x")


@dataclass(frozen=True)
class Program:
    """What goes into the image, and what it runs."""

    name: str
    module: str
    packages: tuple[str, ...]  # of our own code
    distributions: tuple[str, ...]  # what those import; what these need comes with them


@dataclass(frozen=True)
class File:
    path: str  # in the image
    source: Path


def tag(program: Program) -> str:
    return _built(program)[0]


def tar(program: Program) -> bytes:
    """The image as `docker load` takes it; made once for several engines."""
    with _BUILDING:
        return _tar(program)


_BUILDING = threading.Lock()


@functools.cache
def _tar(program: Program) -> bytes:
    name, files = _built(program)
    layer = Layer()
    for path in ("dev", "etc", "proc", "sys"):
        layer.directory(path)
    layer.directory("tmp", 0o1777)
    layer.file("etc/passwd", b"root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n")
    layer.file("etc/nsswitch.conf", b"hosts: files dns\n")
    for file in files:
        state = file.source.stat()
        layer.file(file.path, file.source.read_bytes(), 0o755 if state.st_mode & 0o100 else 0o644, int(state.st_mtime))
    for libraries in _shared_libraries([file.source for file in files]):
        layer.file(libraries.path, libraries.source.read_bytes(), 0o755)
    python = f"/{PREFIX}/bin/python3"
    config = {
        "Entrypoint": [python, "-m", program.module],
        "Env": [f"PATH=/{PREFIX}/bin", "LD_LIBRARY_PATH=/lib", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1", "LANG=C.UTF-8"],
        "WorkingDir": "/",
    }
    return archive((name,), layer.content(), config)


@functools.cache
def _built(program: Program) -> tuple[str, tuple[File, ...]]:
    """The tag, and the files but for the shared libraries."""
    files = tuple(sorted({file.path: file for file in _files(program)}.values(), key=lambda file: file.path))
    digest = hashlib.sha256(f"{platform.platform()} {sys.version}".encode())
    for file in files:
        if file.source.suffix != ".pyc":  # compiled when it was first needed: no change of what runs
            state = file.source.stat()
            digest.update(f"{file.path} {state.st_size} {state.st_mtime_ns}\n".encode())
    return f"skiff.local/{program.name}:{digest.hexdigest()[:12]}", files


def _files(program: Program) -> Iterator[File]:
    yield File(f"{PREFIX}/bin/python3", Path(sys.executable).resolve())
    standard = Path(sysconfig.get_path("stdlib"))
    for file in _below(standard, UNUSED):
        if not UNUSED_EXTENSION.match(file.name):
            yield File(f"{LIBRARY}/{file.relative_to(standard)}", file)
    for name in sorted(_closure(program.distributions)):
        distribution = importlib.metadata.distribution(name)
        for one in distribution.files or ():
            if _runs(str(one)) and not TESTS.search(str(one)):
                yield File(f"{LIBRARY}/site-packages/{one}", Path(str(distribution.locate_file(one))))
    for package in program.packages:
        for file in _below(OWN_CODE / package):
            yield File(f"{LIBRARY}/site-packages/{file.relative_to(OWN_CODE)}", file)


def _below(directory: Path, unused: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Files that run; `unused` are names of modules and packages to leave out where they stand in the directory itself."""
    for where, directories, files in os.walk(directory):
        top = where == str(directory)
        skipped = unused if top else unused & {"test"}
        directories[:] = [name for name in directories if name not in skipped and not name.startswith("config-")]
        for name in files:
            if _runs(name) and not (name.split(".")[0] in unused and (top or where == f"{directory}/__pycache__")):
                yield Path(where, name)


def _runs(name: str) -> bool:
    """Whether a file is code or data of a program, of this version of Python, and no source of an extension."""
    if name.endswith(".pyc"):
        return f".{sys.implementation.cache_tag}.pyc" in name
    return name.endswith(KEPT_SUFFIXES) or ".so" in name


def _closure(names: tuple[str, ...]) -> set[str]:
    """The distributions and all that they require, save extras and what is not installed here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in required if "extra ==" not in one]
    return found


def _shared_libraries(files: list[Path]) -> list[File]:
    """What the dynamic linker loads for programs and extension modules; the linker itself at the path the programs name."""
    programs = [str(file) for file in files if ".so" in file.name or file.name.startswith("python")]
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    found = {}
    for line in listed.splitlines():
        if match := LIBRARY_LINE.match(line.strip()):
            library = Path(match[1])
            inside = str(library)[1:] if library.name.startswith("ld-") else f"lib/{library.name}"
            found[inside] = File(inside, library.resolve())
    bundled = {file.name for file in files}
    return [file for path, file in sorted(found.items()) if Path(path).name not in bundled]
