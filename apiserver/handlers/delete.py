"""Delete: DELETE of one object and of a collection, by DeleteOptions from the query or the body.

The answer is a Status where the object is gone, of some kinds the object as it was; else the object that waits for its
finalizers or its grace period.
https://kubernetes.io/docs/concepts/architecture/garbage-collection/ · apiserver pkg/endpoints/handlers/delete.go
"""

from apiserver.context import AdmissionAttributes, Request, Response, Server, json_response
from apiserver.handlers import read, selection
from apiserver.handlers.body import read_of
from apiserver.handlers.negotiation import accepted
from apiserver.handlers.pipeline import is_dry_run
from apiserver.handlers.read import key_of, number
from apiserver.handlers.reply import reply_with
from apiserver.handlers.write import row_of
from apiserver.handlers.write_options import dry_run_errors
from apiserver.storage.deletion import utc_now
from apiserver.storage.listing import invalid_options, parse_ask
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import BadRequest, FieldError, NotFound, invalid
from kube.api.status import unsupported as unsupported_value
from kube.api.views import timestamp

# As OpenAPI says of their DELETE (ReturnDeletedObject in pkg/registry).
SHOWN_WHEN_GONE = frozenset(
    [("", one) for one in ("persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourcequotas",
                           "serviceaccounts", "services")]
    + [("storage.k8s.io", one) for one in ("csidrivers", "csinodes", "storageclasses", "volumeattachments",
                                           "volumeattributesclasses")]
    + [("resource.k8s.io", one) for one in ("deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices")]
)  # fmt: skip
POLICIES = ("Foreground", "Background", "Orphan")

SCHEME = "pkg/apis/meta/internalversion/scheme/register.go:27"  # what upstream calls its table of such kinds


async def delete(server: Server, request: Request) -> Response:
    accepted(request)
    row, options = row_of(request), await delete_options(request)
    _warn(request, row, options)
    tree, gone = await _delete_one(server, request, row, key_of(request.info), options)
    if gone and (row.group, row.plural) not in SHOWN_WHEN_GONE:
        return json_response(_success(row, tree))
    if gone:
        return reply_with(request, row, _last_seen(row, tree), 200)
    asked_to_wait = options.get("orphanDependents") is False
    return reply_with(request, row, tree, 202 if asked_to_wait else 200)


async def delete_collection(server: Server, request: Request) -> Response:
    """Delete what the selectors choose, one after another; the list of what was chosen."""
    form = accepted(request)
    row, info, options = row_of(request), request.info, await delete_options(request)
    _warn(request, row, options)
    store = server.stores.store_for(row)
    wanted = selection.of_request(info, store)
    number(info, "timeoutSeconds")
    ask = parse_ask(
        wanted, info.param("resourceVersion"), info.param("resourceVersionMatch"), number(info, "limit"), info.param("continue")
    )
    page = await store.page(ask)
    for entry in page.entries:
        metadata = entry.metadata
        try:
            await _delete_one(server, request, row, Key(metadata.namespace, metadata.name), options)
        except NotFound:
            continue  # somebody else was faster
    return await read.answer_list(request, row, page, form)


def _warn(request: Request, row: Resource, options: Tree) -> None:
    if row.warning_without_policy and options.get("propagationPolicy") is None and options.get("orphanDependents") is None:
        request.warn(row.warning_without_policy)


async def _delete_one(server: Server, request: Request, row: Resource, key: Key, options: Tree) -> tuple[Tree, bool]:
    dry_run = is_dry_run(request, options)

    async def admit(tree: Tree) -> None:
        attributes = AdmissionAttributes(
            request=request, user=request.user, operation="DELETE", resource=row, subresource="", namespace=key.namespace,
            name=key.name, object=None, old=tree, options=options, dry_run=dry_run,
        )  # fmt: skip
        await server.admission.mutate(attributes, server)
        await server.admission.validate(attributes, server)

    return await server.stores.store_for(row).delete(key, options, admit, dry_run)


async def delete_options(request: Request) -> Tree:
    """From the body, if there is one; else from the query."""
    data = await request.body()
    options = await _body_options(request) if data.strip() else _query_options(request)
    errors = list(_problems(options))
    if errors:
        raise invalid_options("DeleteOptions", errors)
    is_dry_run(request, options)
    return options


async def _body_options(request: Request) -> Tree:
    options = await read_of(request, "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")
    kind = options.get("kind", "DeleteOptions")
    if kind != "DeleteOptions":  # upstream's answer is a 500 that has no reason; what a client does wrong is none here
        raise BadRequest(f'no kind "{kind}" is registered for version "{options.get("apiVersion", "")}" in scheme "{SCHEME}"')
    return options


def _query_options(request: Request) -> Tree:
    info = request.info
    options: Tree = {}
    if "gracePeriodSeconds" in info.query:
        options["gracePeriodSeconds"] = number(info, "gracePeriodSeconds")
    if info.param("propagationPolicy"):
        options["propagationPolicy"] = info.param("propagationPolicy")
    if "orphanDependents" in info.query:
        options["orphanDependents"] = info.flag("orphanDependents")
    if "dryRun" in info.query:
        options["dryRun"] = info.query["dryRun"]
    return options


def _problems(options: Tree) -> list[FieldError]:
    policy, orphans = options.get("propagationPolicy"), options.get("orphanDependents")
    if policy is not None and orphans is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        return [invalid("propagationPolicy", policy, text)]
    if policy is not None and policy not in POLICIES:
        return [unsupported_value("propagationPolicy", policy, (*POLICIES, "nil"))]
    return [*dry_run_errors(options.get("dryRun") or [])]


def _last_seen(row: Resource, tree: Tree) -> Tree:
    """A pod, which has a grace period, was marked before it went."""
    if row.plural == "pods":
        metadata = tree["metadata"]
        metadata.setdefault("deletionTimestamp", timestamp(utc_now()))
        metadata["deletionGracePeriodSeconds"] = 0
    return tree


def _success(row: Resource, tree: Tree) -> Tree:
    details = {"name": tree["metadata"]["name"], "group": row.group, "kind": row.plural, "uid": tree["metadata"].get("uid")}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {name: value for name, value in details.items() if value},
    }
