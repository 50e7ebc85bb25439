"""Place: which of a server's workers this one is, and the board: numbers in memory that all of them see.

Each worker has a line of its own on the board, which it alone writes. Reading it is no system call, so every request can afford to:

    told     the newest revision at which this worker acknowledged, or has seen, a change of what requests are judged by
             (storage/abreast.py)
    taken    how many connections it was given so far
    open     how many it has now
"""

import mmap
from dataclasses import dataclass, field

TOLD, TAKEN, OPEN = range(3)
FIELDS = 8  # of eight bytes each: a line of the board is a line of the processor's cache


class Board:
    """Made before the fork; memory that is shared afterwards."""

    def __init__(self, workers: int = 1) -> None:
        self._cells = memoryview(mmap.mmap(-1, workers * FIELDS * 8)).cast("Q")
        self._told = range(TOLD, workers * FIELDS, FIELDS)

    def get(self, worker: int, what: int) -> int:
        return self._cells[worker * FIELDS + what]

    def set(self, worker: int, what: int, value: int) -> None:
        self._cells[worker * FIELDS + what] = value

    def told(self) -> int:
        """The newest of all."""
        cells = self._cells
        return max([cells[index] for index in self._told])


@dataclass(frozen=True)
class Place:
    """The worker `number` of `count`; the default is a server of one process."""

    number: int = 0
    count: int = 1
    board: Board = field(default_factory=Board)

    @property
    def first(self) -> bool:
        """Whether this one does what must be done once in a server."""
        return self.number == 0

    def part(self, limit: int) -> int:
        """This worker's part of a limit that is the whole server's, rounded up; 0 stays no limit."""
        return -(-limit // self.count)

    def tell(self, revision: int) -> None:
        """A change of what requests are judged by is known to somebody: every worker's next request waits for it."""
        if revision > self.board.get(self.number, TOLD):
            self.board.set(self.number, TOLD, revision)

    def told(self) -> int:
        """The revision that a request must not be older than."""
        return self.board.told()
