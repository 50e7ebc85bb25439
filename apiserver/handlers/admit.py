"""Admit: admission of requests that do not go through the pipeline — subresources with a kind of their own, connections.

apiserver pkg/admission/attributes.go
"""

from apiserver.context import AdmissionAttributes, Request, Server
from kube.api.meta import Tree


async def admitted(
    server: Server, request: Request, operation: str, new: Tree | None, old: Tree | None = None, *, dry_run: bool = False
) -> Tree:
    """The object of a request for a row's subresource as mutating admission leaves it. Raises what admission raises."""
    info, row = request.info, request.info.resource
    assert row is not None, "dispatched by its row"
    attributes = AdmissionAttributes(
        request=request, user=request.user, operation=operation, resource=row, subresource=info.subresource,
        namespace=info.namespace, name=info.name, object=new, old=old, options={"dryRun": ["All"]} if dry_run else {},
        dry_run=dry_run,
    )  # fmt: skip
    await server.admission.mutate(attributes, server)
    await server.admission.validate(attributes, server)
    return attributes.object or {}
