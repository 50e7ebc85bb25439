"""What the API server passes on to a node's kubelet: logs, exec, attach, port-forward.

Logs are streamed through; the interactive ones are joined connections (upgrade.py), for which only the names of the query's
parameters change: the kubelet's are not the API's (upstream pkg/registry/core/pod/strategy.go, streamParams).
https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote, urlencode

from apiserver import kubelet
from apiserver.context import Request, Response, Server
from apiserver.subresources.log_options import kubelet_query
from apiserver.upgrade import join
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import BadRequest, InternalError
from kube.api.types import Pod
from kube.client.rest import Client, Unreachable

STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}  # the API's word: the kubelet's


async def log(server: Server, request: Request) -> Response:
    """GET pods/log."""
    params = kubelet_query(request.info)
    pod = await _pod(server, request)
    container = chosen_container(pod, request.info.param("container"))
    if not pod["spec"].get("nodeName"):
        return Response(204, content_type="")  # not on a node yet: there is nothing to tell
    path = f"/containerLogs/{request.info.namespace}/{request.info.name}/{container}"
    return await _streamed(await kubelet.client(server, pod["spec"]["nodeName"], "pods"), path, params)


async def execute(server: Server, request: Request) -> None:
    await _into_container(server, request, "exec")


async def attach(server: Server, request: Request) -> None:
    await _into_container(server, request, "attach")


async def port_forward(server: Server, request: Request) -> None:
    pod = await _pod(server, request)
    query = request.scope["query_string"].decode("latin-1")
    target = f"/portForward/{_place(pod)}" + (f"?{query}" if query else "")
    await join(request, await kubelet.backend(server, _node_of(pod), "pods"), target)


async def _into_container(server: Server, request: Request, verb: str) -> None:
    pod = await _pod(server, request)
    container = chosen_container(pod, request.info.param("container"))
    target = f"/{verb}/{_place(pod)}/{quote(container)}?{stream_query(request.info.query)}"
    await join(request, await kubelet.backend(server, _node_of(pod), "pods"), target)


def stream_query(query: Mapping[str, list[str]]) -> str:
    """The kubelet's query for exec and attach, from the API's. Pure."""
    asked = [(theirs, "1") for ours, theirs in STREAMS.items() if query.get(ours, [""])[0] in ("1", "true")]
    return urlencode([*asked, *(("command", word) for word in query.get("command", []))])


def chosen_container(pod: Tree, wanted: str) -> str:
    """The container that is meant. Raises BadRequest in upstream's words. Pure."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    groups = ("initContainers", "containers", "ephemeralContainers")
    known = [one["name"] for group in groups for one in spec.get(group) or ()]
    if wanted:
        if wanted not in known:
            raise BadRequest(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(spec["containers"]) == 1:
        return str(spec["containers"][0]["name"])
    raise BadRequest(f"a container name must be specified for pod {name}, choose one of: [{' '.join(known)}]")


def _node_of(pod: Tree) -> str:
    node = pod["spec"].get("nodeName")
    if not node:
        raise BadRequest(f"pod {pod['metadata']['name']} does not have a host assigned")
    return str(node)


def _place(pod: Tree) -> str:
    return f"{quote(pod['metadata']['namespace'])}/{quote(pod['metadata']['name'])}"


async def _pod(server: Server, request: Request) -> Tree:
    return await server.stores.store_for(resource_of(Pod)).get(Key(request.info.namespace, request.info.name))


async def _streamed(client: Client, path: str, params: dict[str, str]) -> Response:
    """The kubelet's answer, as it comes. Its head is waited for, so that a refusal is an answer of its own."""
    stack = contextlib.AsyncExitStack()
    try:
        stream = await stack.enter_async_context(client.stream("GET", path, params=params))
    except Unreachable as error:
        await stack.aclose()
        raise InternalError(f"Internal error occurred: error dialing backend: {error}") from None

    async def chunks() -> AsyncIterator[bytes]:
        try:
            async with stack:
                async for chunk in stream.iter_chunks():
                    yield chunk
        except Unreachable as error:
            raise InternalError(f"Internal error occurred: {error}") from None  # the answer is cut off

    return Response(200, stream=chunks(), content_type="text/plain")
