"""kubectl certificate: approve or deny certificate signing requests.

The decision is a condition of the request, written through its `approval` subresource; the signer acts on it later.
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_certificate/
"""

from dataclasses import dataclass
from typing import Annotated

import typer

from kube.api.meta import Tree
from kube.api.status import Conflict
from kubectl import options
from kubectl.changes import Changes
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.selection import Item, Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help="Modify certificate resources.")

TRIES = 10  # when the request changes between reading and writing
Force = Annotated[bool, typer.Option("--force", help="Update the CSR even if it is already approved.")]


@dataclass(frozen=True)
class Decision:
    """What is written, and the decision that it contradicts."""

    type: str
    opposite: str
    reason: str
    message: str


APPROVAL = Decision("Approved", "Denied", "KubectlApprove", "This CSR was approved by kubectl certificate approve.")
DENIAL = Decision("Denied", "Approved", "KubectlDeny", "This CSR was denied by kubectl certificate deny.")


@app.command(short_help="Approve a certificate signing request", epilog="kubectl certificate approve (-f FILENAME | NAME)")
def approve(
    context: typer.Context,
    force: Force = False,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    template: options.Template = "",
) -> None:
    """Approve a certificate signing request.

    kubectl certificate approve allows a cluster admin to approve a certificate signing request (CSR). This action tells a
    certificate signing controller to issue a certificate to the requester with the attributes requested in the CSR.

    Examples:
      # Approve CSR 'csr-sqgzp'
      kubectl certificate approve csr-sqgzp
    """
    session: Session = context.obj
    _decide(session, Query(_named(session.args), filename, recursive, kustomize), APPROVAL, force, Printer(output, template))


@app.command(short_help="Deny a certificate signing request", epilog="kubectl certificate deny (-f FILENAME | NAME)")
def deny(
    context: typer.Context,
    force: Force = False,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    template: options.Template = "",
) -> None:
    """Deny a certificate signing request.

    kubectl certificate deny allows a cluster admin to deny a certificate signing request (CSR). This action tells a certificate
    signing controller to not to issue a certificate to the requester.

    Examples:
      # Deny CSR 'csr-sqgzp'
      kubectl certificate deny csr-sqgzp
    """
    session: Session = context.obj
    _decide(session, Query(_named(session.args), filename, recursive, kustomize), DENIAL, force, Printer(output, template))


def decided(tree: Tree, decision: Decision) -> Tree | None:
    """The request with the decision; None where it stands there already. Pure. Raises CommandError for the opposite."""
    conditions = (tree.get("status") or {}).get("conditions") or []
    types = {one["type"] for one in conditions}
    if decision.opposite in types:
        raise CommandError(f'certificate signing request "{tree["metadata"]["name"]}" is already {decision.opposite}')
    if decision.type in types:
        return None
    more = {"type": decision.type, "status": "True", "reason": decision.reason, "message": decision.message}
    return {**tree, "status": {**(tree.get("status") or {}), "conditions": [*conditions, more]}}


def _named(args: list[str]) -> list[str]:
    return [arg if "/" in arg else f"certificatesigningrequest/{arg}" for arg in args]


def _decide(session: Session, query: Query, decision: Decision, force: bool, printer: Printer) -> None:
    if not (query.args or query.by_file):
        raise CommandError("one or more CSRs must be specified as <name> or -f <filename>")
    changes = Changes.of(session, printer)

    def one(item: Item) -> None:
        changes.said(item, _written(session, item, decision, force), decision.type.lower())

    session.each(session.items(query), one)


def _written(session: Session, item: Item, decision: Decision, force: bool) -> Tree:
    """The request as the server has it afterwards; read and decided anew when it changed meanwhile."""
    tree = item.tree
    for tries_left in reversed(range(TRIES)):
        made = decided(tree, decision)
        if made is None and not force:
            return tree
        try:
            return session.server.request("PUT", f"{item.path}/approval", body=made or tree).tree()
        except Conflict:
            if not tries_left:
                raise
            tree = session.server.request("GET", item.path).tree()
    raise AssertionError("the last try returns or raises")
