"""kubectl describe: an object in words, with what happened to it.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_describe/
"""

from typing import Annotated

import typer

from kube.api.status import NotFound
from kubectl import options
from kubectl.errors import CommandError, Failed
from kubectl.selection import Item, Query, items, refs
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


ShowEvents = Annotated[bool, typer.Option("--show-events", help="If true, display events related to the described object.")]


@app.command(epilog="kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)")
def describe(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    all_namespaces: options.AllNamespaces = False,
    chunk_size: options.ChunkSize = 500,
    show_events: ShowEvents = True,
) -> None:
    """Show details of a specific resource or group of resources.

    Print a detailed description of the selected resources, including related resources such as events or controllers. You may
    select a single object by name, all objects of that type, provide a name prefix, or label selector.

    Examples:
      # Describe a node
      kubectl describe nodes kubernetes-node-emt8.c.myproject.internal

      # Describe a pod
      kubectl describe pods/nginx
    """
    session: Session = context.obj
    if not (session.args or filename or kustomize):
        raise CommandError(
            'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported '
            "resources."
        )
    query = Query(session.args, filename, recursive, kustomize, selector, all_namespaces=all_namespaces)
    _describe(session, query, show_events)


def _describe(session: Session, query: Query, show_events: bool) -> None:
    """Each object, an empty pair of lines between; a name that none has is taken as the beginning of names.

    As upstream: events are asked for only where just one object is meant, and is there.
    """
    shown: list[bool] = []
    told = False

    def one(item: Item) -> None:
        from kubectl.describe import describe as described
        from kubectl.describe.around import gather

        text = described(item.resource.group, item.resource.kind, item.tree, gather(session, item, events=told))
        print(("\n\n" if shown else "") + text, end="")
        shown.append(True)

    found, missing = _found(session, query)
    told = show_events and len(found) == 1 and missing is None
    session.each(found, one)
    if missing is not None:
        prefixed = [] if query.by_file or found else _prefixed(session, query)
        if not prefixed:
            raise missing
        for item in prefixed:
            session.each([item], one)
            print()
            shown.clear()
        return
    if not shown:
        where = "" if query.all_namespaces else f" in {session.namespace} namespace."
        session.tell(f"No resources found{where}")


def _found(session: Session, query: Query) -> tuple[list[Item], NotFound | Failed | None]:
    """The objects that are there, and what is told of those that are not."""
    found: list[Item] = []
    try:
        found.extend(items(session, query))
    except (NotFound, Failed) as missing:
        return [] if any("/" in arg for arg in query.args) else found, missing
    return found, None


def _prefixed(session: Session, query: Query) -> list[Item]:
    """Objects whose names begin as the one asked for."""
    named = refs(session.discovery, query)
    if len(named) != 1:
        return []
    everything = session.items(Query([named[0].resource.qualified], all_namespaces=query.all_namespaces))
    return [item for item in everything if item.key.name.startswith(named[0].name)]
