"""Columns: text in which tabs end cells, aligned as Go's text/tabwriter aligns it.

A column is a run of neighbouring lines that have a cell there; each run is as wide as its widest cell. What follows the last tab of
a line belongs to no column. https://pkg.go.dev/text/tabwriter
"""

from collections.abc import Iterator, Sequence


def align(text: str, *, minimum: int = 0, padding: int = 2) -> str:
    """The text with spaces for tabs. `minimum` is the least width of a cell, its padding included."""
    lines = text.split("\n")
    cells = [line.split("\t") for line in lines]
    return "\n".join(_format(cells, [], minimum, padding))


class Table:
    """Rows printed one after another, as `get --watch` does: a column never gets narrower than it was."""

    def __init__(self) -> None:
        self._widths: list[int] = []

    def lines(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """The rows, aligned with those before them. The last column is not padded."""
        for row in rows:
            for column, cell in enumerate(row[:-1]):
                if column == len(self._widths):
                    self._widths.append(MINIMUM)
                self._widths[column] = max(self._widths[column], len(cell) + PADDING)
        return [
            "".join(cell.ljust(width) for cell, width in zip(row, self._widths, strict=False)) + _rest(row, self._widths)
            for row in rows
        ]


MINIMUM, PADDING = 6, 3  # of the tables that `get` prints (cli-runtime printers.GetNewTabWriter)


def _rest(row: Sequence[str], widths: Sequence[int]) -> str:
    return row[-1] if len(row) > len(widths) else ""


def _format(lines: list[list[str]], widths: list[int], minimum: int, padding: int) -> Iterator[str]:
    """tabwriter's own recursion: one column block at a time, the lines between blocks as they are."""
    column = len(widths)
    start = at = 0
    while at < len(lines):
        if column >= len(lines[at]) - 1:
            at += 1
            continue
        yield from (_line(cells, widths) for cells in lines[start:at])
        start, width = at, minimum
        while at < len(lines) and column < len(lines[at]) - 1:
            width = max(width, len(lines[at][column]) + padding)
            at += 1
        yield from _format(lines[start:at], [*widths, width], minimum, padding)
        start = at
    yield from (_line(cells, widths) for cells in lines[start:])


def _line(cells: list[str], widths: list[int]) -> str:
    return "".join(cell.ljust(widths[at]) if at < len(widths) else cell for at, cell in enumerate(cells))
