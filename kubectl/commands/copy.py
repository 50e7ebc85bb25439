"""kubectl cp: files and directories to and from containers that have a `tar`.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cp/
"""

import io
import os
import posixpath
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from kube.api.meta import Key, Tree
from kubectl.archives import Place, Unpacking, pack, place
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.pods import POD, container_of
from kubectl.remote import Ends, Streams, exit_code, joined
from kubectl.session import Session
from kubectl.transport import Unreachable

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


Container = Annotated[
    str,
    typer.Option(
        "--container",
        "-c",
        help="Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the "
        "container to be attached or the first container in the pod will be chosen",
    ),
]
NoPreserve = Annotated[
    bool,
    typer.Option(
        "--no-preserve", help="The copied file/directory's ownership and permissions will not be preserved in the container"
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        "--retries",
        help="Set number of retries to complete a copy operation from a container. Specify 0 to disable or any negative "
        "value for infinite retrying. The default is 0 (no retry).",
    ),
]


@app.command("cp", epilog="kubectl cp <file-spec-src> <file-spec-dest>")
def copy(
    context: typer.Context,
    container: Container = "",
    no_preserve: NoPreserve = False,
    retries: Retries = 0,
) -> None:
    """Copy files and directories to and from containers.

    Examples:
      # Copy /tmp/foo_dir local directory to /tmp/bar_dir in a remote pod in the default namespace
      kubectl cp /tmp/foo_dir <some-pod>:/tmp/bar_dir

      # Copy /tmp/foo local file to /tmp/bar in a remote pod in namespace <some-namespace>
      kubectl cp /tmp/foo <some-namespace>/<some-pod>:/tmp/bar

      # Copy /tmp/foo from a remote pod to /tmp/bar locally
      kubectl cp <some-namespace>/<some-pod>:/tmp/foo /tmp/bar
    """
    session: Session = context.obj
    if len(session.args) != 2:
        raise UsageError("source and destination are required")
    source, destination = map(place, session.args)
    if source.pod and destination.pod:
        raise CommandError("one of src or dest must be a local file specification")
    if not (source.pod or destination.pod):
        raise CommandError("one of src or dest must be a remote file specification")
    if not source.path or not destination.path:
        raise CommandError("filepath can not be empty")
    remote = source if source.pod else destination
    inside = Inside.of(session, remote, container)
    code = _from_pod(inside, source, destination, retries) if source.pod else _to_pod(inside, source, destination, no_preserve)
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True)
class Inside:
    """One container, in which commands can be run."""

    session: Session
    key: Key
    container: str

    @classmethod
    def of(cls, session: Session, remote: Place, container: str) -> "Inside":
        key = Key(remote.namespace or session.namespace, remote.pod)
        pod = session.server.request("GET", POD.path(*key)).tree()
        return cls(session, key, container_of(session, pod, container))

    def run(self, command: list[str], ends: Ends, *, stdin: bool = False) -> int:
        return exit_code(self.session, self._status(command, ends, stdin))

    def has_directory(self, path: str) -> bool:
        status = self._status(["test", "-d", path], Ends(_nothing, io.BytesIO(), io.BytesIO()), False)
        return bool(status.get("status") == "Success")

    def _status(self, command: list[str], ends: Ends, stdin: bool) -> Tree:
        streams = Streams(stdin=stdin)
        params = [("command", word) for word in command] + streams.params(self.container)
        return joined(self.session, POD.path(*self.key, "exec"), params, streams, ends)


@dataclass
class Counted:
    """A pipe's writing end that knows how much went through it."""

    pipe: BinaryIO
    count: int = 0

    def write(self, data: bytes, /) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.pipe.fileno(), view) :]
        self.count += len(data)

    def flush(self) -> None:
        """Nothing is kept back."""


def _to_pod(inside: Inside, source: Place, destination: Place, no_preserve: bool) -> int:
    local = Path(source.path)
    if not os.path.lexists(local):
        raise CommandError(f"{source.path} doesn't exist in local filesystem")
    path = posixpath.normpath(destination.path)
    if inside.has_directory(path):
        path = posixpath.join(path, local.resolve().name)
    command = ["tar", *(["--no-same-permissions", "--no-same-owner"] if no_preserve else []), "-xmf", "-"]
    folder, name = posixpath.split(path)
    if folder:
        command += ["-C", folder]
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as beside:
        packed = beside.submit(_pack, local, name, writing)
        try:
            ends = Ends(lambda size: os.read(reading, size), sys.stdout.buffer, sys.stderr.buffer)
            code = inside.run(command, ends, stdin=True)
        finally:
            os.close(reading)
        with suppress(BrokenPipeError):  # where tar gave up first; it has told why
            packed.result()
    return code


def _pack(source: Path, name: str, writing: int) -> None:
    with open(writing, "wb") as stream:
        pack(source, name, stream)


def _from_pod(inside: Inside, source: Place, destination: Place, retries: int) -> int:
    unpacking = Unpacking(source.path, Path(destination.path), inside.session.tell)
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as beside:
        unpacked = beside.submit(_unpack, unpacking, reading)
        code = 0
        with open(writing, "wb", buffering=0) as pipe, suppress(BrokenPipeError):  # unpacking gave up first, and tells why
            code = _fetched(inside, source.path, Counted(pipe), retries)
        if code == 0:
            unpacked.result()
    return code


def _unpack(unpacking: Unpacking, reading: int) -> None:
    with open(reading, "rb") as stream:
        unpacking.run(stream)
        while stream.read(io.DEFAULT_BUFFER_SIZE):  # the padding after the last entry
            pass


def _fetched(inside: Inside, path: str, pipe: Counted, retries: int) -> int:
    """tar's output; where the connection broke, taken up again as often as is allowed."""
    while True:
        command = ["tar", "cf", "-", path]
        if pipe.count:
            command = ["sh", "-c", f"tar cf - {shlex.quote(path)} | tail -c+{pipe.count + 1}"]
        try:
            return inside.run(command, Ends(_nothing, pipe, sys.stderr.buffer))
        except Unreachable as error:
            if retries == 0:
                raise
            retries -= 1
            inside.session.tell(f"Resuming copy at {pipe.count} bytes, retries left {retries} - {error}")


def _nothing(size: int) -> bytes:
    return b""
