"""Progress of a bring-up on a terminal: one line a step, its seconds, and on failure what, why and what to do."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 46


class StepFailed(Exception):
    """A step that cannot be done: what went wrong, and what the reader can do about it."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


class Progress:
    """Prints steps; remembers how long each took (for benchmarks)."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._live = sys.stdout.isatty()

    @contextmanager
    def step(self, what: str) -> Iterator["Note"]:
        """Show `what` as under way, then as done; a StepFailed passes through once it was told."""
        if self._live:
            print(f"  … {what}", end="\r", flush=True)
        started = time.monotonic()
        note = Note()
        try:
            yield note
        except StepFailed as failure:
            print(f"  ✗ {what}: {failure.why}", flush=True)
            if failure.remedy:
                print(f"    What to do: {failure.remedy}", flush=True)
            raise
        self.seconds[what] = time.monotonic() - started
        line = f"  ✓ {what:<{WIDTH}}{self.seconds[what]:6.1f} s"
        print(f"{line}   {note.text}" if note.text else line, flush=True)


class Note:
    """A few words that a step adds to its line."""

    text: str = ""
