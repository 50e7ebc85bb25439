"""Table: named numpy columns with a row for each node. A row that goes is taken by the last one.

Columns have spare room at their end, so a row more costs nothing mostly. A column that nobody asked for before is zeros.
"""

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]

LEAST_ROOM = 16


class Table:
    def __init__(self) -> None:
        self.rows = 0
        self._room = LEAST_ROOM
        self._columns: dict[Hashable, Column] = {}

    def read(self, name: Hashable) -> Column:
        """A row a node; not to be written to."""
        column = self._columns.get(name)
        return np.zeros(self.rows, np.int64) if column is None else column[: self.rows]

    def whole(self, name: Hashable) -> Column:
        """With its spare room, to write to; valid until the next row is added."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = np.zeros(self._room, np.int64)
        return column

    def forget(self, name: Hashable) -> None:
        self._columns.pop(name, None)

    def add_row(self) -> int:
        """A row of zeros."""
        row = self.rows
        if row == self._room:
            self._room *= 2
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate((column, np.zeros_like(column)))
        for column in self._columns.values():
            column[row] = 0
        self.rows += 1
        return row

    def take_row(self, row: int) -> None:
        """The last row takes the place of this one."""
        self.rows -= 1
        for column in self._columns.values():
            column[row] = column[self.rows]
