"""kubectl events: what happened, oldest first.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_events/
"""

from collections.abc import Iterator
from typing import Annotated

import typer

from kube.api.meta import Tree
from kubectl import options
from kubectl.describe.around import EVENTS
from kubectl.describe.words import seen
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.printers.tabwriter import Table
from kubectl.selection import Query, listed
from kubectl.session import Session
from kubectl.watching import watch as watched

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


About = Annotated[str, typer.Option("--for", help="Filter events to only those pertaining to the specified resource.")]
Types = Annotated[list[str], typer.Option("--types", metavar=options.SLICE, help="Output only events of given types.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="After listing the requested events, watch for more events.")]


@app.command(epilog="kubectl events [(-o|--output=)json|yaml|name] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]")
def events(
    context: typer.Context,
    all_namespaces: options.AllNamespaces = False,
    about: About = "",
    types: Types = [],  # noqa: B006 - read, never changed
    watch: Watch = False,
    no_headers: options.NoHeaders = False,
    output: options.Output = "",
    template: options.Template = "",
    chunk_size: options.ChunkSize = 500,
) -> None:
    """Display events.

    Prints a table of the most important information about events. You can request events for a namespace, for all namespace,
    or filtered to only those pertaining to a specified resource.

    Examples:
      # List recent events in the default namespace
      kubectl events

      # List recent events for the specified pod, then wait for more events and list them as they arrive
      kubectl events --for pod/web-pod-13je7 --watch
    """
    session: Session = context.obj
    printer = Printer(output, template, own=True).check()
    selector = _selector(session, about)
    wanted = {one.lower() for one in types}
    if wanted - {"normal", "warning"}:
        raise CommandError("valid --types are Normal or Warning")
    query = Query(field_selector=selector, all_namespaces=all_namespaces)
    found = sorted(listed(session, EVENTS, query), key=_moment)
    found = [one for one in found if not wanted or one.get("type", "").lower() in wanted]
    if output:
        items = [{"kind": "Event", "apiVersion": "v1", **one} for one in found]
        return printer.show({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items})
    if not found and not watch:
        return session.tell("No events found." if all_namespaces else f"No events found in {session.namespace} namespace.")
    table = Table()
    header = (["NAMESPACE"] if all_namespaces else []) + ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    rows = [] if no_headers or not found else [header]
    rows += [_cells(session, one, all_namespaces) for one in found]
    for row in table.lines(rows):
        print(row, flush=True)
    if watch:
        version = max((int(one["metadata"]["resourceVersion"]) for one in found), default=0)
        for one in _later(session, selector, "" if all_namespaces else session.namespace, version):
            if not wanted or one.get("type", "").lower() in wanted:
                print(table.lines([_cells(session, one, all_namespaces)])[0], flush=True)
    return None


def _later(session: Session, selector: str, namespace: str, version: int) -> Iterator[Tree]:
    """Events as they come."""
    params: dict[str, str | int | None] = {"fieldSelector": selector or None, "resourceVersion": str(version) if version else None}
    return (event.object for event in watched(session.server, EVENTS.path(namespace), params) if event.type != "DELETED")


def _selector(session: Session, about: str) -> str:
    if not about:
        return ""
    kind, slash, name = about.partition("/")
    if not slash:
        raise CommandError("--for must be in resource/name form")
    if "/" in name:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    return f"involvedObject.kind={session.discovery.find(kind).kind},involvedObject.name={name}"


def _moment(event: Tree) -> str:
    series = event.get("series") or {}
    return series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or ""


def _cells(session: Session, event: Tree, everywhere: bool) -> list[str]:
    subject = event.get("involvedObject") or {}
    cells = [
        seen(event, session.now),
        event.get("type") or "",
        event.get("reason") or "",
        f"{subject.get('kind', '')}/{subject.get('name', '')}",
        (event.get("message") or "").strip(),
    ]
    return [event["metadata"].get("namespace", ""), *cells] if everywhere else cells
