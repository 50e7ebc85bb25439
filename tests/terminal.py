"""A terminal for tests: a command that runs on one, what it shows, and keys that are typed."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

READ_BYTES = 65536


class Terminal:
    """What was shown so far, and a keyboard."""

    def __init__(self, process: "subprocess.Popen[bytes]", side: int) -> None:
        self.shown = ""
        self._process = process
        self._side = side
        self._seen = 0

    def type(self, text: str) -> None:
        os.write(self._side, text.encode())

    def expect(self, text: str, within: float = 30) -> str:
        """Wait until the text is shown, after what was expected last; what was shown up to its end."""
        deadline = time.monotonic() + within
        while text not in self.shown[self._seen :]:
            if not self._read(deadline):
                raise AssertionError(f"{text!r} is not shown within {within} s:\n{self.shown}")
        start = self._seen
        self._seen = self.shown.index(text, start) + len(text)
        return self.shown[start : self._seen]

    def end(self, within: float = 30) -> int:
        """The exit code, once all is shown."""
        deadline = time.monotonic() + within
        while self._read(deadline):
            pass
        return self._process.wait(timeout=max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._side], [], [], max(0.0, deadline - time.monotonic()))
        try:
            data = os.read(self._side, READ_BYTES) if ready else b""
        except OSError:  # the other side is closed
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def on_a_terminal(
    command: Sequence[str | Path], environment: Mapping[str, str], directory: Path | None = None
) -> Iterator[Terminal]:
    """Run a command on a terminal of its own; it is ended with the block.

    Control-C counts there, even where the tests themselves were started in the background, which ignores it.
    """
    side, inner = pty.openpty()
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *command],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment,
        cwd=directory,
        start_new_session=True,
    )
    os.close(inner)
    try:
        yield Terminal(process, side)
    finally:
        process.kill()
        process.wait()
        os.close(side)
