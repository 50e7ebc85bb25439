"""What cordon, uncordon and drain share.

kubernetes/kubectl pkg/drain
"""

from kube.api.meta import Tree
from kubectl.changes import Changes
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.printers import Printer
from kubectl.selection import Item, Query
from kubectl.session import Session, suffix


def nodes(session: Session, selector: str) -> list[Item]:
    """The nodes that the arguments, or the selector, name. Raises CommandError for what is no node."""
    if session.args and selector:
        raise UsageError("cannot specify both a node name and a --selector option")
    names = [arg if "/" in arg else f"node/{arg}" for arg in session.args]
    found = session.items(Query(names or ["nodes"], selector=selector))
    for row in (item.resource for item in found):
        if row.plural != "nodes" or row.group:
            raise CommandError(f'expected resource of type node, got "{row.group}/{row.version}, Resource={row.plural}"')
    return found


def cordon_all(session: Session, items: list[Item], wanted: bool, dry_run: str) -> None:
    changes = Changes.of(session, Printer(), dry_run_flag=dry_run)
    word = "cordoned" if wanted else "uncordoned"

    def one(item: Item) -> None:
        if bool(item.tree["spec"].get("unschedulable")) == wanted:
            session.say(f"{item} already {word}{suffix(changes.mode)}")
            return
        patch: Tree = {"spec": {"unschedulable": wanted or None}}
        tree = item.tree if changes.mode == "client" else changes.patch(item, patch, "application/strategic-merge-patch+json")
        changes.said(item, tree, word)

    session.each(items, one)
