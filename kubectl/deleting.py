"""Deleting: the options of a DELETE, and waiting until an object is gone; for `delete` and whatever else deletes on its way.

kubernetes/kubectl pkg/cmd/delete/delete_flags.go
"""

import sys
import time
from dataclasses import dataclass
from typing import Any

from kube.api.duration import parse_go
from kube.api.meta import Tree
from kubectl.errors import CommandError
from kubectl.selection import Item
from kubectl.session import Session
from kubectl.watching import watch

CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
WEEK_SECONDS = 168 * 3600  # how long upstream waits where no timeout is given


def propagation(cascade: str) -> str:
    """--cascade's word as the API's, the old booleans included."""
    if cascade in CASCADES:
        return CASCADES[cascade]
    if cascade in ("true", "false"):
        word = "background" if cascade == "true" else "orphan"
        print_deprecated(cascade, word)
        return CASCADES[word]
    raise CommandError(f'invalid cascade value ({cascade}). Must be "background", "foreground", or "orphan"')


def print_deprecated(old: str, new: str) -> None:
    print(f"warning: --cascade={old} is deprecated (boolean value) and can be replaced with --cascade={new}.", file=sys.stderr)


def options_of(propagation: str, grace: int, mode: str) -> Tree:
    tree: Tree = {"kind": "DeleteOptions", "apiVersion": "v1"}
    if grace >= 0:
        tree["gracePeriodSeconds"] = grace
    tree["propagationPolicy"] = propagation
    if mode == "server":
        tree["dryRun"] = ["All"]
    return tree


def uid_of(answer: Tree) -> str:
    """The object's that a DELETE was answered with: itself, or a Status that names it."""
    return (answer.get("details") or {}).get("uid") or (answer.get("metadata") or {}).get("uid") or ""


def wait_gone(session: Session, item: Item, uid: str, deadline: float) -> None:
    """Raises CommandError at the deadline (time.monotonic)."""
    selector = f"metadata.name={item.key.name}"
    path = item.resource.path(item.key.namespace)
    while True:
        page = session.server.request("GET", path, params={"fieldSelector": selector}).tree()
        live = [one for one in page.get("items") or () if not uid or one["metadata"].get("uid") == uid]
        if not live:
            return
        left = int(deadline - time.monotonic())
        if left <= 0:
            raise CommandError(f"timed out waiting for the condition on {item.resource.plural}/{item.key.name}")
        params: dict[str, str | int | None] = {
            "fieldSelector": selector,
            "resourceVersion": page["metadata"].get("resourceVersion"),
            "timeoutSeconds": max(1, min(left, 300)),
        }
        if any(event.type == "DELETED" for event in watch(session.server, path, params)):
            return


@dataclass(frozen=True)
class Ending:
    """How objects end that --prune deletes, or --force makes anew: the flags that `kubectl delete` has, too."""

    propagation: str
    grace: int
    seconds: float  # to wait until one is gone
    wait: bool  # for what --prune deletes
    force: bool  # delete and make anew what cannot be changed

    @classmethod
    def of(cls, flags: dict[str, Any]) -> "Ending":
        """Raises CommandError."""
        grace = max(flags["grace_period"], 0) if flags["force"] else flags["grace_period"]
        return cls(
            propagation(flags["cascade"]),
            grace,
            parse_go(flags["timeout"]) or WEEK_SECONDS,
            flags.get("wait", True),
            flags["force"],
        )

    def options(self, mode: str) -> Tree:
        """DeleteOptions."""
        return options_of(self.propagation, self.grace, mode)


NOTHING_ENDS = Ending("Background", -1, 0.0, wait=False, force=False)  # for what only looks
