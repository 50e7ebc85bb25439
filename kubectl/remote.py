"""Remote commands: a container's stdin, stdout, stderr and terminal size over one WebSocket (v5.channel.k8s.io).

The first byte of a message names its channel; the error channel ends it all with a Status; v5 can close stdin alone.
KEP-4006 (https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets)
"""

import os
import shutil
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import orjson

from kube.api.meta import Tree
from kubectl.errors import CommandError
from kubectl.session import Session
from kubectl.websocket import WebSocket

PROTOCOLS = ("v5.channel.k8s.io",)
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
READ_BYTES = 1 << 15


@dataclass(frozen=True)
class Streams:
    """Which of them are wanted. With a terminal, stderr comes on stdout."""

    stdin: bool = False
    terminal: bool = False

    def params(self, container: str) -> list[tuple[str, str]]:
        named = [("container", container)] if container else []
        asked = [("stdin", self.stdin), ("stdout", True), ("stderr", not self.terminal), ("tty", self.terminal)]
        return named + [(name, "true") for name, wanted in asked if wanted]


class Sink(Protocol):
    """Where output goes."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


@dataclass(frozen=True)
class Ends:
    """This side's ends of the streams. `read` gives no bytes at the end of the input."""

    read: Callable[[int], bytes]
    stdout: Sink
    stderr: Sink

    @classmethod
    def own(cls) -> "Ends":
        """Those of this program itself."""
        return cls(lambda size: os.read(sys.stdin.fileno(), size), sys.stdout.buffer, sys.stderr.buffer)


def run(session: Session, path: str, params: list[tuple[str, str]], streams: Streams, greeting: str = "") -> int:
    """Join the streams with this program's own until the remote end is done; its exit code. Raises CommandError without one."""
    return exit_code(session, joined(session, path, params, streams, Ends.own(), greeting))


def joined(session: Session, path: str, params: list[tuple[str, str]], streams: Streams, ends: Ends, greeting: str = "") -> Tree:
    """Join the streams until the remote end is done; the Status that it ends with (empty: the connection just ended)."""
    socket = WebSocket(session.server, path, params, PROTOCOLS)
    try:
        with _raw_terminal(streams.terminal and streams.stdin):
            if greeting:
                sys.stderr.write(greeting)
                sys.stderr.flush()
            if streams.terminal:
                _follow_size(socket)
            if streams.stdin:
                threading.Thread(target=_pump_stdin, args=(socket, ends.read), daemon=True).start()
            return _receive(socket, ends)
    finally:
        socket.close()


def _receive(socket: WebSocket, ends: Ends) -> Tree:
    """Show what comes, until the Status on the error channel (empty: the connection just ended)."""
    outputs = {STDOUT: ends.stdout, STDERR: ends.stderr}
    while (message := socket.receive()) is not None:
        channel, data = message[0], message[1:]
        if channel in outputs and data:
            outputs[channel].write(data)
            outputs[channel].flush()
        elif channel == ERROR and data:
            status: Tree = orjson.loads(data)
            return status
    return {}


def exit_code(session: Session, status: Tree) -> int:
    """What the Status says: 0, or the command's own code, told on stderr."""
    if status.get("status", "Success") == "Success":
        return 0
    if status.get("reason") == "NonZeroExitCode":
        causes = (status.get("details") or {}).get("causes") or ()
        code = next((int(one["message"]) for one in causes if one.get("reason") == "ExitCode"), 1)
        session.tell(f"command terminated with exit code {code}")
        return code
    raise CommandError(str(status.get("message") or "the remote command ended for an unknown reason"))


def _pump_stdin(socket: WebSocket, read: Callable[[int], bytes]) -> None:
    """Send what is typed; at its end close the remote stdin alone, so that output still comes."""
    try:
        while data := read(READ_BYTES):
            socket.send(bytes([STDIN]) + data)
        socket.send(bytes([CLOSE, STDIN]))
    except OSError:
        return  # the connection is closed: the main thread knows


def _follow_size(socket: WebSocket) -> None:
    def tell(*_: object) -> None:
        size = shutil.get_terminal_size()
        socket.send(bytes([RESIZE]) + orjson.dumps({"Width": size.columns, "Height": size.lines}))

    signal.signal(signal.SIGWINCH, tell)
    tell()


@contextmanager
def _raw_terminal(wanted: bool) -> Iterator[None]:
    """Every key goes to the other side, Ctrl-C too."""
    if not wanted or not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
