"""kubectl wait: until objects are as wanted.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_wait/
"""

import time
from collections.abc import Callable
from typing import Annotated

import typer

from kube.api.duration import parse_go
from kube.api.meta import Tree
from kube.api.status import NotFound
from kubectl import options
from kubectl.deleting import wait_gone
from kubectl.errors import CommandError
from kubectl.printers import gotext
from kubectl.printers.jsonpath import find
from kubectl.selection import Item, Query
from kubectl.session import Session
from kubectl.watching import watch

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

WEEK_SECONDS = 168 * 3600.0
LOOK_SECONDS = 0.2  # between two looks for an object that is not there yet
Met = Callable[[Tree], bool]


Condition = Annotated[
    str,
    typer.Option(
        "--for",
        help="The condition to wait on: [create|delete|condition=condition-name[=condition-value]|jsonpath='{JSONPath "
        "expression}'=[JSONPath value]]. The default condition-value is true.",
    ),
]
Timeout = Annotated[
    str,
    typer.Option(
        "--timeout",
        metavar=options.DURATION,
        help="The length of time to wait before giving up.  Zero means check once and don't wait, negative means wait for a week.",
    ),
]


@app.command(
    epilog="kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) "
    "[--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]"
)
def wait(
    context: typer.Context,
    condition: Condition = "",
    timeout: Timeout = "30s",
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    field_selector: options.FieldSelector = "",
    all_namespaces: options.AllNamespaces = False,
    all: options.All = False,
    output: options.Output = "",
) -> None:
    """Wait for a specific condition on one or many resources.

    Examples:
      # Wait for the pod "busybox1" to contain the status condition of type "Ready"
      kubectl wait --for=condition=Ready pod/busybox1

      # Wait for the pod "busybox1" to contain the status phase to be "Running"
      kubectl wait --for=jsonpath='{.status.phase}'=Running pod/busybox1

      # Wait for the pod "busybox1" to be deleted, with a timeout of 60s
      kubectl wait --for=delete pod/busybox1 --timeout=60s
    """
    session: Session = context.obj
    seconds = -1.0 if timeout.startswith("-") else parse_go(timeout)
    deadline = time.monotonic() + (seconds if seconds >= 0 else WEEK_SECONDS)
    query = Query(session.args, filename, recursive, "", selector, field_selector, all_namespaces, all=all, every=False)
    if condition == "delete":
        return _deleted(session, query, deadline)
    met = condition_of(condition)
    if condition == "create":
        _created(session, query, deadline)
    items = session.items(query)
    if not items:
        raise CommandError("no matching resources found")

    def one(item: Item) -> None:
        until(session, item, met, deadline)
        session.say(f"{item} condition met")

    return session.each(items, one)


def condition_of(text: str) -> Met:
    """--for's words as a question. Raises CommandError."""
    if text == "create":
        return lambda tree: True
    kind, equals, rest = text.partition("=")
    if kind == "condition" and equals:
        name, equals, value = rest.partition("=")
        return lambda tree: _has_condition(tree, name, value if equals else "true")
    if kind == "jsonpath" and equals:
        path, expected = _divided(rest)
        return lambda tree: _has_value(tree, path, expected)
    raise CommandError(f'unrecognized condition: "{text}"' if text else "unrecognized condition: []")


def _divided(text: str) -> tuple[str, str | None]:
    """`{.path}=value` or `{.path}`; an = within the path's filters is not the one."""
    closing = text.rfind("}")
    if closing < 0:
        path, equals, value = text.partition("=")
    else:
        path, equals, value = text[: closing + 1], text[closing + 1 : closing + 2], text[closing + 2 :]
    if equals and not value:
        raise CommandError("jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3")
    return path.strip("'\""), value.strip("'\"") if equals else None


def _has_condition(tree: Tree, name: str, value: str) -> bool:
    status = tree.get("status") or {}
    for one in status.get("conditions") or ():
        if one["type"].lower() == name.lower():
            observed = one.get("observedGeneration") or status.get("observedGeneration")
            if observed and observed < tree["metadata"].get("generation", 0):
                return False
            return bool(one["status"].lower() == value.lower())
    return False


def _has_value(tree: Tree, path: str, value: str | None) -> bool:
    found = find(path, tree)
    if len(found) > 1:
        raise CommandError("given jsonpath expression matches more than one value")
    if value is None:
        return bool(found)
    if found and isinstance(found[0], dict | list):
        raise CommandError("jsonpath leads to a nested object or list which is not supported")
    return bool(found) and gotext.text(found[0]).strip() == value.strip()


def until(session: Session, item: Item, met: Met, deadline: float) -> None:
    """Raises CommandError at the deadline."""
    tree = item.tree
    where = f"{item.resource.plural}/{item.key.name}"
    while True:
        if met(tree):
            return
        left = int(deadline - time.monotonic())
        if deadline <= time.monotonic():
            raise CommandError(f"timed out waiting for the condition on {where}")
        params: dict[str, str | int | None] = {
            "fieldSelector": f"metadata.name={item.key.name}",
            "resourceVersion": tree["metadata"]["resourceVersion"],
            "timeoutSeconds": max(1, min(left, 300)),
        }
        for event in watch(session.server, item.resource.path(item.key.namespace), params):
            if event.type == "DELETED":
                raise NotFound(f'{item.resource.qualified} "{item.key.name}" not found')
            if met(event.object):
                return
        tree = session.server.request("GET", item.path).tree()


def _created(session: Session, query: Query, deadline: float) -> None:
    """Until the objects are there at all."""
    while True:
        try:
            if session.items(query):
                return
        except NotFound:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise CommandError("no matching resources found")
        time.sleep(LOOK_SECONDS)


def _deleted(session: Session, query: Query, deadline: float) -> None:
    try:
        items = session.items(query)
    except NotFound:
        return
    for item in items:
        wait_gone(session, item, item.tree["metadata"].get("uid", ""), deadline)
        session.say(f"{item} condition met")
