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
from kubectl.changes import Changes
from kubectl.deleting import wait_gone
from kubectl.errors import CommandError, Failed
from kubectl.printers import Printer, gotext
from kubectl.printers.jsonpath import find
from kubectl.selection import Item, Query, items
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
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
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
    seconds = parse_go(timeout)
    deadline = time.monotonic() + (seconds if seconds >= 0 else WEEK_SECONDS) if seconds else 0.0
    query = Query(session.args, filename, recursive, "", selector, field_selector, all_namespaces, all=all, every=False)
    told = Changes.of(session, Printer(output, template, managed_fields=show_managed_fields))
    if condition == "delete":
        return _deleted(told, query, deadline)
    met = condition_of(condition)
    if condition == "create":
        _created(session, query, deadline)
    found = session.items(query)
    if not found:
        raise CommandError("no matching resources found")

    def one(item: Item) -> None:
        told.said(item, until(session, item, met, deadline), "condition met")

    return session.each(found, one)


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
        _check_path(path)
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


def _check_path(path: str) -> None:
    if not path:
        raise CommandError("jsonpath expression cannot be empty")
    if path.count("{") != path.count("}"):
        raise CommandError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )


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


def until(session: Session, item: Item, met: Met, deadline: float) -> Tree:
    """The object when it is as wanted. A deadline of 0: it must be so now. Raises CommandError at the deadline."""
    tree = item.tree
    where = f"{item.resource.plural}/{item.key.name}"
    while True:
        if met(tree):
            return tree
        if not deadline:
            raise CommandError(f"condition not met for {where}")
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
                return event.object
        tree = session.server.request("GET", item.path).tree()


def _created(session: Session, query: Query, deadline: float) -> None:
    """Until the objects are there at all."""
    while True:
        try:
            if session.items(query):
                return
        except NotFound:
            pass  # not yet
        if time.monotonic() > deadline:
            raise CommandError("timed out waiting for the condition")
        time.sleep(LOOK_SECONDS)


def _deleted(told: Changes, query: Query, deadline: float) -> None:
    """What is not there is gone."""

    def one(item: Item) -> None:
        wait_gone(told.session, item, item.tree["metadata"].get("uid", ""), deadline)
        told.said(item, item.tree, "condition met")

    try:
        told.session.each(items(told.session, query), one)
    except NotFound:
        return
    except Failed as failed:
        others = [error for error in failed.errors if not isinstance(error, NotFound)]
        if others:
            raise Failed(others) from failed
