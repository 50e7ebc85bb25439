"""kubectl explain: what a kind and its fields are, from the server's OpenAPI v3 documents.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_explain/
"""

import sys
from typing import Annotated

import typer

from kube.api.resource import Resource
from kubectl.errors import CommandError
from kubectl.explanation import FieldMissing, Schemas, explained
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


Recursive = Annotated[
    bool,
    typer.Option(
        "--recursive",
        help="When true, print the name of all the fields recursively. Otherwise, "
        "print the available fields with their description.",
    ),
]
ApiVersion = Annotated[
    str,
    typer.Option("--api-version", help="Use given api-version (group/version) of the resource."),
]
Output = Annotated[str, typer.Option("--output", "-o", help="Format in which to render the schema. Valid values are: (plaintext).")]


@app.command(epilog="kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext]")
def explain(
    context: typer.Context,
    recursive: Recursive = False,
    api_version: ApiVersion = "",
    output: Output = "plaintext",
) -> None:
    """Describe fields and structure of various resources.

    This command describes the fields associated with each supported API resource. Fields are identified via a simple JSONPath
    identifier:

    <type>.<fieldName>[.<fieldName>]

    Examples:
      # Get the documentation of the resource and its fields
      kubectl explain pods

      # Get all the fields in the resource
      kubectl explain pods --recursive

      # Get the documentation of a specific field of a resource
      kubectl explain pods.spec.containers
    """
    session: Session = context.obj
    if not session.args:
        raise CommandError(
            'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported '
            "resources."
        )
    if len(session.args) > 1:
        raise CommandError("We accept only this format: explain RESOURCE")
    if output != "plaintext":
        raise CommandError(f"unrecognized format: {output}")
    resource, fields = _named(session, session.args[0], api_version)
    document = "apis/" + resource.api_version if resource.group else "api/" + resource.version
    paths = session.server.request("GET", "/openapi/v3").tree()["paths"]
    if document not in paths:
        raise CommandError(f'couldn\'t find resource for "{resource.api_version}, Kind={resource.kind}"')
    schemas = Schemas(session.server.request("GET", paths[document]["serverRelativeURL"]).tree())
    try:
        sys.stdout.write(explained(schemas, resource, fields, recursive=recursive))
    except FieldMissing as error:
        sys.stdout.write(error.head)
        raise


def _named(session: Session, word: str, api_version: str) -> tuple[Resource, list[str]]:
    """The kind, and the field path below it. The kind may itself have dots (deployments.apps)."""
    parts = word.split(".")
    resource = session.discovery.lookup(parts[0])
    fields = parts[1:]
    if resource is None:
        resource, fields = session.discovery.lookup(word), []
    if resource is None:
        session.tell(f'the server doesn\'t have a resource type "{parts[0]}"')
        raise typer.Exit(1)
    if api_version:
        plural = resource.plural
        found = next((one for one in session.discovery.resources if one.plural == plural and one.api_version == api_version), None)
        if found is None:
            raise CommandError(f'couldn\'t find resource for "{api_version}, Resource={plural}"')
        resource = found
    return resource, fields
