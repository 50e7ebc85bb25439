"""`kubectl get --watch`: what is there, then every change, in the same table or format.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_get/
"""

import json
from itertools import islice
from typing import TYPE_CHECKING

from kube.api.meta import Tree
from kubectl.errors import CommandError
from kubectl.printers.table import TablePrinter
from kubectl.selection import Ref
from kubectl.transport import JSON
from kubectl.watching import watch

if TYPE_CHECKING:
    from kubectl.commands.get import Getter


# One object may be older than all that the server still has of the past. From here a watch begins with the object as it is.
FROM_NOW = "0"


class Watcher:
    """`listed`: show what is there first. `events`: name the kind of each change."""

    def __init__(self, getter: "Getter", *, listed: bool, events: bool) -> None:
        self._getter = getter
        self._listed = listed
        self._events = events

    def run(self) -> None:
        getter = self._getter
        wanted = getter.refs()
        if len({ref.resource for ref, _ in wanted}) > 1:
            raise CommandError("you may only specify a single resource type")
        if len(wanted) != 1:
            names = sum(1 for ref, _ in wanted if ref.name)
            raise CommandError(
                "watch is only supported on individual resources and resource collections"
                + (f" - {names} resources were found" if names else "")
            )
        ref, namespace = wanted[0]
        table = TablePrinter(getter.look, ref.resource)
        accept = getter.accept if getter.printer.human else JSON
        version = self._first(ref, namespace, accept, table)
        if ref.name:
            version = FROM_NOW
        params: dict[str, str | int | None] = {
            "resourceVersion": version,
            "labelSelector": getter.query.selector or None,
            "fieldSelector": f"metadata.name={ref.name}" if ref.name else getter.query.field_selector or None,
        }
        events = watch(getter.session.server, ref.resource.path(namespace), params, accept)
        for event in islice(events, 1, None) if ref.name else events:
            self._show(event.object, event.type, table)

    def _first(self, ref: Ref, namespace: str, accept: str, table: TablePrinter) -> str:
        """Show what is there; the version to watch from."""
        version = ""
        for page in self._getter.pages(ref, namespace, accept):
            version = page["metadata"].get("resourceVersion", "")
            if not self._listed:
                continue
            if accept == JSON and isinstance(page.get("items"), list):
                for item in page["items"]:
                    row = ref.resource
                    self._show({"apiVersion": row.api_version, "kind": row.kind, **item}, "ADDED", table)
            else:
                self._show(page, "ADDED", table)
        return version

    def _show(self, tree: Tree, event: str, table: TablePrinter) -> None:
        if self._getter.printer.human:
            from kubectl.commands.get import as_table

            tree = as_table(tree)
            rows = len(tree.get("rows") or ())
            if not rows:
                return
            for line in table.lines(tree, events=[event] * rows if self._events else ()):
                print(line, flush=True)
        elif self._events and self._getter.printer.format == "json":
            object = json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            print(f'{{"type":"{event}","object":{object}}}', flush=True)
        elif self._events and self._getter.printer.format != "name":
            print(self._getter.printer.text({"type": event, "object": tree}), end="", flush=True)
        else:
            print(self._getter.printer.text(tree), end="", flush=True)
