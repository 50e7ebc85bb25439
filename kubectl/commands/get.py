"""kubectl get: show objects, as the server's tables or in full.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_get/
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import ApiError, BadRequest, NotFound
from kubectl import options
from kubectl.describe.words import age
from kubectl.errors import CommandError, Failed
from kubectl.flags import UsageError
from kubectl.printers import TABLES, Printer
from kubectl.printers.jsonpath import JsonPathError
from kubectl.printers.table import ACCEPT, Look, TablePrinter
from kubectl.selection import TWICE, Query, Ref, located, refs
from kubectl.session import Session
from kubectl.transport import JSON

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

MUST_NAME = (
    'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n'
)

LabelColumns = Annotated[
    list[str],
    typer.Option(
        "--label-columns",
        "-L",
        metavar=options.SLICE,
        help="Accepts a comma separated list of labels that are going to be presented as columns. Names are "
        "case-sensitive. You can also use multiple flag options like -L label1 -L label2...",
    ),
]
ShowKind = Annotated[bool, typer.Option("--show-kind", help="If present, list the resource type for the requested object(s).")]
SortBy = Annotated[
    str,
    typer.Option(
        "--sort-by",
        help="If non-empty, sort list types using this field specification.  The field specification is expressed as a "
        "JSONPath expression (e.g. '{.metadata.name}'). The field in the API resource specified by this JSONPath "
        "expression must be an integer or a string.",
    ),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="After listing/getting the requested object, watch for changes.")]
WatchOnly = Annotated[
    bool,
    typer.Option("--watch-only", help="Watch for changes to the requested object(s), without listing/getting first."),
]
OutputWatchEvents = Annotated[
    bool,
    typer.Option(
        "--output-watch-events",
        help="Output watch event objects when --watch or --watch-only is used. Existing objects are output as initial "
        "ADDED events.",
    ),
]
Raw = Annotated[
    str,
    typer.Option("--raw", help="Raw URI to request from the server.  Uses the transport specified by the kubeconfig file."),
]
ServerPrint = Annotated[
    bool,
    typer.Option(
        "--server-print",
        help="If true, have the server return the appropriate table output. Supports extension APIs and CRDs.",
    ),
]
Subresource = Annotated[str, typer.Option("--subresource", help="If specified, gets the subresource of the requested object.")]


@app.command(
    epilog="kubectl get [(-o|--output=)json|yaml|name|go-template|go-template-file|template|templatefile|jsonpath|"
    "jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | "
    "TYPE[.VERSION][.GROUP]/NAME ...) [flags]"
)
def get(
    context: typer.Context,
    output: options.GetOutput = "",
    template: options.Template = "",
    allow_missing: options.AllowMissing = True,
    show_managed_fields: options.ShowManagedFields = False,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    recursive: options.Recursive = False,
    kustomize: options.Kustomize = "",
    selector: options.Selector = "",
    field_selector: options.FieldSelector = "",
    all_namespaces: options.AllNamespaces = False,
    no_headers: options.NoHeaders = False,
    show_labels: options.ShowLabels = False,
    ignore_not_found: options.IgnoreNotFound = False,
    chunk_size: options.ChunkSize = 500,
    label_columns: LabelColumns = [],  # noqa: B006
    show_kind: ShowKind = False,
    sort_by: SortBy = "",
    watch: Watch = False,
    watch_only: WatchOnly = False,
    output_watch_events: OutputWatchEvents = False,
    raw: Raw = "",
    server_print: ServerPrint = True,
    subresource: Subresource = "",
) -> None:
    """Display one or many resources.

    Prints a table of the most important information about the specified resources. You can filter the list using a label
    selector and the --selector flag. If the desired resource type is namespaced you will only see results in the current
    namespace if you don't specify any namespace.

    Examples:
      # List all pods in ps output format with more information (such as node name)
      kubectl get pods -o wide

      # Return only the phase value of the specified pod
      kubectl get -o template pod/web-pod-13je7 --template={{.status.phase}}
    """
    session: Session = context.obj
    if raw:
        return _raw(session, raw, context.params)
    _check(session, context.params)
    return _run(session, context.params)


def _check(session: Session, flags: dict[str, Any]) -> None:
    """Raises UsageError, CommandError for flags that do not go together."""
    if not (session.args or flags["filename"] or flags["kustomize"]):
        session.tell(MUST_NAME)
        raise UsageError(
            'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of '
            "that resource (e.g. kubectl explain pods)."
        )
    watching = flags["watch"] or flags["watch_only"]
    if flags["output_watch_events"] and not watching:
        raise CommandError("--output-watch-events option can only be used with --watch or --watch-only")
    if watching and flags["sort_by"]:
        session.tell("warning: --watch requested, --sort-by will be ignored for watch events received")


def _run(session: Session, flags: dict[str, Any]) -> None:
    printer = Printer(
        flags["output"], flags["template"], flags["allow_missing"], flags["show_managed_fields"], flags["no_headers"]
    ).check(TABLES)
    query = Query(
        session.args,
        flags["filename"],
        flags["recursive"],
        flags["kustomize"],
        flags["selector"],
        flags["field_selector"],
        flags["all_namespaces"],
    )
    look = Look(
        wide=printer.format == "wide",
        headers=not flags["no_headers"],
        namespace=flags["all_namespaces"],
        kind=flags["show_kind"],
        show_labels=flags["show_labels"],
        label_columns=tuple(flags["label_columns"]),
    )
    accept = ACCEPT if flags["server_print"] else JSON
    chosen = (flags["chunk_size"], flags["sort_by"], flags["ignore_not_found"], flags["subresource"])
    getter = Getter(session, query, printer, look, *chosen, accept)
    if flags["watch"] or flags["watch_only"]:
        from kubectl.get_watch import Watcher

        return Watcher(getter, listed=not flags["watch_only"], events=flags["output_watch_events"]).run()
    return getter.run()


def _raw(session: Session, path: str, flags: dict[str, Any]) -> None:
    """What the server says at a path, as it is. Raises CommandError beside anything that would change it."""
    if session.args:
        raise CommandError("arguments may not be passed when --raw is specified")
    if flags["output"]:
        raise CommandError("--raw and --output are mutually exclusive")
    if any(flags[name] for name in ("watch", "watch_only", "selector", "label_columns", "field_selector")):
        raise CommandError("--raw may not be specified with other flags that filter the server request or alter the output")
    if not path.startswith("/"):
        raise CommandError(f'--raw must be a valid URL path: parse "{path}": invalid URI for request')
    response = session.server.request("GET", path)
    print(response.body.decode(), end="")


@dataclass
class Getter:
    """One `get`: what to ask for and how to show it."""

    session: Session
    query: Query
    printer: Printer
    look: Look
    chunk: int
    sort_by: str
    ignore_not_found: bool
    subresource: str = ""
    accept: str = ACCEPT  # of what is shown as a table

    def run(self) -> None:
        wanted = self.refs()
        errors: list[Exception] = []
        if self.printer.human:
            self._tables(wanted, errors)
        else:
            self._objects(wanted, errors)
        if errors:
            raise Failed(errors)

    def refs(self) -> list[tuple[Ref, str]]:
        """What is wanted, each with its namespace (empty: all, or none)."""
        if self.query.by_file and self.query.args:
            raise CommandError(TWICE)
        if self.query.by_file:
            from kubectl.manifests import load

            try:
                manifests = load(self.query.filenames, recursive=self.query.recursive, kustomize=self.query.kustomize)
                items = [located(self.session, manifest) for manifest in manifests]
            except CommandError as error:
                raise error if "does not exist" in str(error) else Failed([error]) from error
            return [(Ref(item.resource, item.key.name), item.key.namespace) for item in items]
        found = refs(self.session.discovery, self.query)
        if self.query.all_namespaces and any(ref.name for ref in found):
            raise CommandError("a resource cannot be retrieved by name across all namespaces")
        if self.subresource and not all(ref.name for ref in found):
            raise CommandError("subresource cannot be used when bulk resources are specified")
        everywhere = self.query.all_namespaces
        return [(ref, "" if everywhere or not ref.resource.namespaced else self.session.namespace) for ref in found]

    def pages(self, ref: Ref, namespace: str, accept: str) -> Iterator[Tree]:
        """The answers for one ref: an object or its table, or a list in chunks."""
        server = self.session.server
        path = ref.resource.path(namespace, ref.name, self.subresource)
        full = self.sort_by and accept != JSON
        params: dict[str, str | int | None] = {"includeObject": "Object" if full else None}
        if not ref.name:
            params["labelSelector"] = self.query.selector or None
            params["fieldSelector"] = self.query.field_selector or None
            params["limit"] = self.chunk or None
        while True:
            page = server.request("GET", path, params=params, headers={"Accept": accept}).tree()
            yield page
            params["continue"] = page.get("metadata", {}).get("continue") or None
            if not params["continue"] or ref.name:
                return

    def _gather(self, wanted: Sequence[tuple[Ref, str]], accept: str, errors: list[Exception]) -> list[tuple[Resource, Tree]]:
        found = []
        for ref, namespace in wanted:
            try:
                found += [(ref.resource, page) for page in self.pages(ref, namespace, accept)]
            except NotFound as error:
                if not (self.ignore_not_found and ref.name):
                    errors.append(error)
            except ApiError as error:
                errors.append(error if ref.name else self._unselected(ref.resource, error))
        return found

    def _unselected(self, row: Resource, error: ApiError) -> ApiError:
        """A list that was refused for its selectors says which."""
        query = self.query
        if not isinstance(error, BadRequest) or not (query.selector or query.field_selector):
            return error
        selected = f'label selector "{query.selector}", field selector "{query.field_selector}"'
        named = f"{row.group}/{row.version}, Resource={row.plural}"
        return BadRequest(f'Unable to find "{named}" that match {selected}: {error.message}')

    def _tables(self, wanted: Sequence[tuple[Ref, str]], errors: list[Exception]) -> None:
        pages = self._gather(wanted, self.accept, errors)
        kinds = {resource for resource, _ in pages}
        if self.sort_by and len(pages) > 1 and (len(kinds) > 1 or wanted[0][0].name):
            from kubectl.sorting import unsortable

            raise unsortable(self.sort_by)  # as upstream: tables that were asked for apart are not put in one order
        look = replace(self.look, kind=self.look.kind or len(kinds) > 1)
        shown: set[Resource] = set()
        printer: TablePrinter | None = None
        last: Resource | None = None
        for resource, page in _joined(pages):
            table = as_table(page)
            if self.sort_by:
                from kubectl.sorting import sort

                try:
                    table = {**table, "rows": sort(table.get("rows") or [], self.sort_by, lambda row: row["object"])}
                except (CommandError, JsonPathError):
                    continue  # as upstream: what has no such field is not shown
            if not table.get("rows"):
                continue
            if resource != last or printer is None:
                if shown and self.look.headers:
                    print()
                printer, last = TablePrinter(replace(look, namespace=look.namespace and resource.namespaced), resource), resource
                shown.add(resource)
            print("\n".join(printer.lines(table)))
        if not shown and not errors and not self.ignore_not_found:
            self._nothing(wanted)

    def _nothing(self, wanted: Sequence[tuple[Ref, str]]) -> None:
        namespaced = any(ref.resource.namespaced for ref, _ in wanted)
        where = f" in {self.session.namespace} namespace." if namespaced and not self.query.all_namespaces else ""
        self.session.tell(f"No resources found{where}")

    def _objects(self, wanted: Sequence[tuple[Ref, str]], errors: list[Exception]) -> None:
        pages = self._gather(wanted, JSON, errors)
        if len(wanted) == 1 and wanted[0][0].name:
            if pages:
                self.printer.show(pages[0][1])
            return
        items = [item for resource, page in pages for item in _items(resource, page)]
        if errors and not items:
            return
        if self.sort_by:
            from kubectl.sorting import sort

            items = sort(items, self.sort_by, lambda item: item)
        self.printer.show({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})


def _joined(pages: Sequence[tuple[Resource, Tree]]) -> Iterator[tuple[Resource, Tree]]:
    """Neighbouring tables of one kind as one, so that sorting sees all rows."""
    held: tuple[Resource, Tree] | None = None
    for resource, page in pages:
        page = as_table(page)
        if held is not None and held[0] == resource:
            rows = [*(held[1].get("rows") or ()), *(page.get("rows") or ())]
            held = (resource, {**held[1], "rows": rows})
            continue
        if held is not None:
            yield held
        held = (resource, page)
    if held is not None:
        yield held


def _items(resource: Resource, page: Tree) -> list[Tree]:
    """The objects of a page, each with its apiVersion and kind, which lists leave out."""
    if not isinstance(page.get("items"), list) and page.get("kind") == resource.kind:
        return [page]
    return [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in page.get("items") or ()]


def as_table(page: Tree) -> Tree:
    """The page itself where it is a table; objects that came without one get the two columns that all have."""
    if page.get("kind") == "Table":
        return page
    items = page["items"] if isinstance(page.get("items"), list) else [page]
    now = datetime.now(UTC)
    rows = [
        {"cells": [item["metadata"]["name"], age(item["metadata"].get("creationTimestamp"), now)], "object": item} for item in items
    ]
    return {"kind": "Table", "columnDefinitions": [{"name": "Name", "format": "name"}, {"name": "Age"}], "rows": rows}
