"""What every generator shares: one NAME argument, and the way from a tree to the server.

A generator only draws the tree; -o, --dry-run, --save-config and --field-manager are read here, once.
"""

import orjson

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import ApiError
from kubectl.changes import LAST_APPLIED, Changes, annotated
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.printers import Printer
from kubectl.selection import Item
from kubectl.session import Session


def name_argument(session: Session) -> str:
    """The one NAME that is required. Raises UsageError."""
    args = session.args[: session.dash] if session.dash is not None else session.args
    if len(args) != 1:
        raise UsageError(f"exactly one NAME is required, got {len(args)}")
    return args[0]


def changes_of(session: Session, manager: str = "kubectl-create") -> Changes:
    """The flags that all generators share, as one value."""
    flags = session.flags
    printer = Printer(
        flags.get("output") or "",
        flags.get("template") or "",
        flags.get("allow_missing", True),
        flags.get("show_managed_fields", False),
        own=True,
    )
    return Changes.of(
        session,
        printer,
        manager=flags.get("field_manager") or manager,
        dry_run_flag=flags.get("dry_run") or "none",
        validate=flags.get("validate") or "",
    )


def create(session: Session, tree: Tree, plural: str, *, namespaced: bool = True, verb: str = "created", failed: str = "") -> Tree:
    """Send what a generator made, and say so. The namespace is written into it only where -n was given, as upstream does.

    `failed`: what stands before the server's words where it refuses.
    """
    changes = changes_of(session)
    metadata = tree["metadata"]
    namespace = ""
    if namespaced:
        namespace = session.namespace
        if session.namespace_forced:
            metadata["namespace"] = namespace
    group, _, version = tree["apiVersion"].rpartition("/")
    resource = Resource(group, version, tree["kind"], plural, namespaced=namespaced)
    if session.flags.get("save_config"):
        tree = annotated(tree, LAST_APPLIED, orjson.dumps(tree).decode() + "\n")
    item = Item(resource, Key(namespace, metadata["name"]), tree)
    try:
        answer = changes.create(item)
    except ApiError as error:
        raise CommandError(f"{failed} {error.message}") if failed else error from error
    changes.said(item, answer, verb)
    return answer


def overridden(tree: Tree, text: str, kind: str, resource: Resource) -> Tree:
    """With --overrides applied. Raises CommandError."""
    if not text:
        return tree
    from kube.api.patch import json_patch, merge, strategic

    try:
        patch = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CommandError("Invalid JSON Patch") from error
    if kind not in ("json", "merge", "strategic"):
        raise CommandError(f"invalid override type: {kind}")
    made: Tree = json_patch.apply(tree, patch) if kind == "json" else merge.apply(tree, patch) if kind == "merge" else {}
    return made if kind != "strategic" else strategic.apply(tree, patch, resource)


def label_map(text: str) -> dict[str, str]:
    """`a=b,c=d`, as --labels takes it. Raises CommandError."""
    found = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or "=" in value:
            raise CommandError(f"unexpected label spec: {part}")
        found[name] = value
    return found


def pairs(texts: list[str], what: str, expected: str = ", expected key=value") -> dict[str, str]:
    """`key=value` texts. Raises CommandError."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"invalid {what} {text}{expected}")
        found[name] = value
    return found
