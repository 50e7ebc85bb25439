"""kubectl taint: keep pods off nodes, or let them on again.

https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

from typing import Annotated, NamedTuple

import typer

from kube.api.meta import Tree
from kubectl import options
from kubectl.changes import Changes
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.selection import Item, Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class Removal(NamedTuple):
    key: str
    effect: str  # empty: every one


All = Annotated[bool, typer.Option("--all", help="Select all nodes in the cluster")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="If true, allow taints to be overwritten, otherwise reject taint updates that overwrite existing taints.",
    ),
]


@app.command(epilog="kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N")
def taint(
    context: typer.Context,
    selector: options.Selector = "",
    all: All = False,
    overwrite: Overwrite = False,
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-taint",
) -> None:
    """Update the taints on one or more nodes.

    Examples:
      # Update node 'foo' with a taint with key 'dedicated' and value 'special-user' and effect 'NoSchedule'
      kubectl taint nodes foo dedicated=special-user:NoSchedule

      # Remove from node 'foo' all the taints with key 'dedicated'
      kubectl taint nodes foo dedicated-
    """
    session: Session = context.obj
    resources = [arg for arg in session.args if not ("=" in arg or ":" in arg or arg.endswith("-"))]
    words = [arg for arg in session.args if arg not in resources]
    if not resources:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if not words:
        raise CommandError("at least one taint update is required")
    wanted, removals = parsed(words)
    changes = Changes.of(session, Printer(output, template), manager=field_manager, dry_run_flag=dry_run)

    def one(item: Item) -> None:
        if item.resource.kind != "Node":
            raise CommandError(f"invalid resource type {item.resource.plural}, only node(s) is supported")
        have = item.tree["spec"].get("taints") or []
        taints, verb = decided(item.key.name, have, wanted, removals, overwrite=overwrite)
        patch: Tree = {
            "spec": {"taints": taints or None},
            "metadata": {"resourceVersion": item.tree["metadata"]["resourceVersion"]},
        }
        if changes.mode == "client":
            tree = {**item.tree, "spec": {**item.tree["spec"], "taints": taints}}
        else:
            tree = changes.patch(item, patch, "application/merge-patch+json")
        changes.said(item, tree, verb)

    session.each(session.items(Query(resources, selector=selector, all=all, every=False)), one)


def parsed(words: list[str]) -> tuple[list[Tree], list[Removal]]:
    """Raises CommandError for what is no taint."""
    wanted: list[Tree] = []
    removals: list[Removal] = []
    for word in words:
        if word.endswith("-"):
            key, _, effect = word[:-1].partition(":")
            removals.append(Removal(key.partition("=")[0], effect))
            continue
        key, colon, effect = word.partition(":")
        if not colon:
            raise CommandError(f"invalid taint spec: {word}")
        if effect not in EFFECTS:
            raise CommandError(f"invalid taint effect: {effect}, unsupported taint effect")
        name, _, value = key.partition("=")
        wanted.append({"key": name, "value": value, "effect": effect} if value else {"key": name, "effect": effect})
    return wanted, removals


def decided(node: str, have: list[Tree], wanted: list[Tree], removals: list[Removal], *, overwrite: bool) -> tuple[list[Tree], str]:
    """The new taints, and what was done."""
    kept = list(have)
    for removal in removals:
        left = [one for one in kept if not (one["key"] == removal.key and removal.effect in ("", one["effect"]))]
        if len(left) == len(kept):
            raise CommandError(f'taint "{removal.key}{":" if removal.effect else ""}{removal.effect}" not found')
        kept = left
    replaced = False
    for taint in wanted:
        same = [one for one in kept if (one["key"], one["effect"]) == (taint["key"], taint["effect"])]
        if same and not overwrite:
            raise CommandError(f"node {node} already has {taint['key']} taint(s) with same effect(s) and --overwrite is false")
        kept = [one for one in kept if one not in same] + [taint]
        replaced = replaced or bool(same)
    if removals:
        return kept, "modified" if wanted else "untainted"
    return kept, "modified" if replaced else "tainted"
