"""Read: GET of one object and LIST, answered from bytes that were encoded when the objects changed.

https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
"""

import re

import orjson

from apiserver.context import Request, RequestInfo, Response, Server
from apiserver.handlers import forms, selection
from apiserver.handlers.negotiation import Accepted, Form, accepted
from apiserver.storage.listing import invalid_options, parse_ask, parse_version
from apiserver.storage.store import Page
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import BadRequest, forbidden

WHOLE_NUMBER = re.compile("[-+]?[0-9]+")
INT64_DIGITS = 20  # with a sign


async def get(server: Server, request: Request) -> Response:
    info, form = request.info, accepted(request)
    assert info.resource is not None, "dispatched by its row"
    store = server.stores.store_for(info.resource)
    version = info.param("resourceVersion")
    entry = await store.entry(key_of(info), parse_version(version) if version else None)
    data = forms.one(info.resource, entry, form, info.param("includeObject"))
    return answer(request, data, form)


async def list_objects(server: Server, request: Request) -> Response:
    info, form = request.info, accepted(request)
    assert info.resource is not None, "dispatched by its row"
    if "sendInitialEvents" in info.query:
        raise invalid_options("ListOptions", [forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")])
    store = server.stores.store_for(info.resource)
    limit, token = number(info, "limit"), info.param("continue")
    number(info, "timeoutSeconds")  # which has no meaning here; nonsense is refused
    wanted = selection.of_request(info, store)
    ask = parse_ask(wanted, info.param("resourceVersion"), info.param("resourceVersionMatch"), limit, token)
    return await answer_list(request, info.resource, await store.page(ask), form)


async def answer_list(request: Request, row: Resource, page: Page, form: Accepted) -> Response:
    """In the form that the client wants."""
    if form.form is Form.OBJECT:
        data = object_list(row, page)
    else:
        data = await forms.many(row, page.entries, list_metadata(page), form, request.info.param("includeObject"))
    return answer(request, data, form)


def key_of(info: RequestInfo) -> Key:
    """The object that the path names."""
    return Key(info.namespace if info.resource and info.resource.namespaced else "", info.name)


def object_list(row: Resource, page: Page) -> bytes:
    """The List object, in one join over the objects' own bytes; of a built-in kind its items do not say what they are."""
    metadata = orjson.dumps(list_metadata(page))
    head = b'{"kind":"%sList","apiVersion":"%s","metadata":%s,"items":[' % (
        row.kind.encode(),
        row.api_version.encode(),
        metadata,
    )
    parts = [forms.object_bytes(row, entry) for entry in page.entries]
    if not parts:
        return head + b"]}"
    if row.view is None:
        return b"".join((head, b",".join(parts), b"]}"))
    said = b'{"kind":"%s","apiVersion":"%s",' % (row.kind.encode(), row.api_version.encode())
    return b"".join((head, b"{", b",{".join([_after(said, part) for part in parts]), b"]}"))


def _after(said: bytes, data: bytes) -> bytes | memoryview:
    """The object behind its opening brace, without kind and apiVersion."""
    if data.startswith(said):
        return memoryview(data)[len(said) :]
    return orjson.dumps({name: value for name, value in orjson.loads(data).items() if name not in ("kind", "apiVersion")})[1:]


def list_metadata(page: Page) -> Tree:
    metadata: Tree = {"resourceVersion": str(page.revision)}
    if page.token:
        metadata["continue"] = page.token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    return metadata


def answer(request: Request, data: bytes, form: Accepted) -> Response:
    """JSON bytes in the form that was asked for; answer.py turns them into YAML."""
    if form.yaml:
        return Response(200, data, in_yaml=True)
    if request.info.query and request.info.flag("pretty"):
        return Response(200, orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return Response(200, data)


def number(info: RequestInfo, name: str) -> int:
    """A whole number from the query; 0 where the parameter is not there."""
    if name not in info.query:
        return 0
    text = info.param(name)
    if not WHOLE_NUMBER.fullmatch(text):
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if len(text) > INT64_DIGITS or not -(2**63) <= int(text) < 2**63:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)
