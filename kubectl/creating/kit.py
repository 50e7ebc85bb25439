"""What every generator shares: one NAME argument, and the way from a tree to the server.

A generator only draws the tree; -o, --dry-run, --save-config and --field-manager are read here, once.
"""

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kubectl.changes import LAST_APPLIED, Changes, annotated, applied_annotation
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


def create(session: Session, tree: Tree, plural: str, *, namespaced: bool = True, verb: str = "created") -> Tree:
    """Send what a generator made, and say so. The namespace is written into it only where -n was given, as upstream does."""
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
        tree = annotated(tree, LAST_APPLIED, applied_annotation(tree))
    item = Item(resource, Key(namespace, metadata["name"]), tree)
    answer = changes.create(item)
    changes.said(item, answer, verb)
    return answer


def pairs(texts: list[str], what: str) -> dict[str, str]:
    """`key=value` texts. Raises CommandError."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"invalid {what} {text}, expected key=value")
        found[name] = value
    return found
