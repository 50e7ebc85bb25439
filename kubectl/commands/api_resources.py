"""kubectl api-resources: every kind that the server has.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_api-resources/
"""

from typing import Annotated

import typer

from kube.api.resource import Resource
from kubectl import options
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.printers.tabwriter import Table
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


ApiGroup = Annotated[str | None, typer.Option("--api-group", help="Limit to resources in the specified API group.")]
Categories = Annotated[
    list[str],
    typer.Option("--categories", metavar=options.SLICE, help="Limit to resources that belong to the specified categories."),
]
Namespaced = Annotated[
    bool | None,
    typer.Option(
        "--namespaced",
        help="If false, non-namespaced resources will be returned, otherwise returning namespaced resources by default.",
    ),
]
Verbs = Annotated[
    list[str], typer.Option("--verbs", metavar=options.SLICE, help="Limit to resources that support the specified verbs.")
]
SortBy = Annotated[
    str,
    typer.Option(
        "--sort-by",
        help="If non-empty, sort list of resources using specified field. The field can be either 'name' or 'kind'.",
    ),
]
Output = Annotated[str, typer.Option("--output", "-o", help="Output format. One of: (json, yaml, name, wide).")]
Cached = Annotated[bool, typer.Option("--cached", help="Use the cached list of resources if available.")]


@app.command("api-resources")
def api_resources(
    context: typer.Context,
    api_group: ApiGroup = None,  # empty: the core group
    categories: Categories = [],  # noqa: B006 - read, never changed
    namespaced: Namespaced = None,  # not given: both
    verbs: Verbs = [],  # noqa: B006
    sort_by: SortBy = "",
    output: Output = "",
    no_headers: options.NoHeaders = False,
    cached: Cached = False,
) -> None:
    """Print the supported API resources on the server.

    Examples:
      # Print the supported API resources
      kubectl api-resources

      # Print the supported namespaced resources
      kubectl api-resources --namespaced=true

      # Print the supported API resources with a specific APIGroup
      kubectl api-resources --api-group=rbac.authorization.k8s.io
    """
    session: Session = context.obj
    if session.args:
        raise UsageError(f"unexpected arguments: [{' '.join(session.args)}]")
    if output not in ("", "name", "wide"):
        raise CommandError(f"--output {output} is not available")
    if sort_by not in ("", "name", "kind"):
        raise CommandError("--sort-by accepts only name or kind")
    rows = [
        one
        for one in session.discovery.preferred()
        if one.verbs
        and (api_group is None or one.group == api_group)
        and (namespaced is None or one.namespaced == namespaced)
        and set(verbs) <= set(one.verbs)
        and set(categories) <= set(one.categories)
    ]
    rows.sort(key=_order(sort_by))
    if output == "name":
        print("\n".join(one.qualified for one in rows))
        return
    cells = [_cells(one, wide=output == "wide") for one in rows]
    if not no_headers:
        header = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
        cells.insert(0, header + (["VERBS", "CATEGORIES"] if output == "wide" else []))
    print("\n".join(Table().lines(cells)))


def _cells(row: Resource, *, wide: bool) -> list[str]:
    cells = [row.plural, ",".join(row.short_names), row.api_version, "true" if row.namespaced else "false", row.kind]
    return [*cells, ",".join(row.verbs), ",".join(row.categories)] if wide else cells


def _order(field: str):  # type: ignore[no-untyped-def]  # a key function; its key's type depends on the field
    if field == "name":
        return lambda row: row.plural
    if field == "kind":
        return lambda row: row.kind
    return lambda row: (row.group, row.plural)
