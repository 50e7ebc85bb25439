"""Tables: the rows that the server made (metav1.Table), as `get` shows them.

Columns of priority 1 are for `-o wide`; cells end at their first line break. The client adds NAMESPACE, the labels asked for, and
the kind before the name. kubernetes/cli-runtime pkg/printers/tableprinter.go
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kube.api.meta import Tree
from kube.api.resource import Resource
from kubectl.printers.gotext import text
from kubectl.printers.tabwriter import Table

ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"


@dataclass(frozen=True)
class Look:
    """How tables are to look."""

    wide: bool = False
    headers: bool = True
    namespace: bool = False
    kind: bool = False
    show_labels: bool = False
    label_columns: tuple[str, ...] = ()


class TablePrinter:
    """Prints tables of one kind; columns keep their widths from one table to the next, and the header is printed once."""

    def __init__(self, look: Look, resource: Resource) -> None:
        self._look = look
        self._resource = resource
        self._table = Table()
        self._columns: list[Tree] = []

    def lines(self, tree: Tree, *, events: Sequence[str] = ()) -> list[str]:
        """The lines of a table. `events`: a first column (ADDED, ...), one word a row."""
        fresh = bool(tree.get("columnDefinitions")) and not self._columns
        self._columns = self._columns or tree.get("columnDefinitions") or []
        rows = [self._cells(row) for row in tree.get("rows") or ()]
        if events:
            rows = [[event, *row] for event, row in zip(events, rows, strict=True)]
        if fresh and self._look.headers:
            rows.insert(0, (["EVENT"] if events else []) + self._headers())
        return self._table.lines(rows)

    def _shown(self) -> list[int]:
        return [at for at, column in enumerate(self._columns) if self._look.wide or not column.get("priority")]

    def _headers(self) -> list[str]:
        look = self._look
        headers = ["NAMESPACE"] if look.namespace else []
        headers += [self._columns[at]["name"].upper() for at in self._shown()]
        headers += [label.rpartition("/")[2].upper() for label in look.label_columns]
        return headers + (["LABELS"] if look.show_labels else [])

    def _cells(self, row: Tree) -> list[str]:
        look = self._look
        metadata = (row.get("object") or {}).get("metadata") or {}
        labels = metadata.get("labels") or {}
        cells = [metadata.get("namespace") or ""] if look.namespace else []
        for at in self._shown():
            cell = _printed(row["cells"][at]) if at < len(row["cells"]) else ""
            if look.kind and self._columns[at].get("format") == "name":
                cell = f"{kind_prefix(self._resource)}/{cell}"
            cells.append(cell)
        cells += [labels.get(label) or "" for label in look.label_columns]
        if look.show_labels:
            cells.append(",".join(f"{name}={labels[name]}" for name in sorted(labels)) or "<none>")
        return cells


def kind_prefix(resource: Resource) -> str:
    """`pod`, `deployment.apps`: what stands before names where several kinds are shown."""
    return resource.kind.lower() + (f".{resource.group}" if resource.group else "")


def _printed(cell: object) -> str:
    """One cell: nothing for null; text up to its first line break, control characters visible."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return text(cell)
    ends = [at for at in (cell.find(mark) for mark in "\f\n\r") if at >= 0]
    kept = cell[: min(ends)] + "..." if ends else cell
    return kept.replace("\x1b", "^[").replace("\t", " ") if "\x1b" in kept or "\t" in kept else kept
