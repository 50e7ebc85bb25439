"""What the API server passes on to a node's kubelet: logs, exec, attach, port-forward, and plain requests to its API.

Logs and plain requests are streamed through. The interactive ones are WebSockets on both sides: every message is passed on as
it is, whichever version of the channel protocol the client chose. The kubelet knows the API server by its client certificate.
https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/ · KEP-4006
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from apiserver.answer import refuse_websocket
from apiserver.context import Request, Response, Server
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import ApiError, BadRequest, InternalError, is_forbidden
from kube.api.types import Node, Pod
from kube.client.kubeconfig import Config
from kube.client.rest import Client, Unreachable, WebSocket

KUBELET_PORT = 10250


async def log(server: Server, request: Request) -> Response:
    """GET pods/log."""
    pod = await _pod(server, request)
    container = chosen_container(pod, request.info.param("container"))
    if not pod["spec"].get("nodeName"):
        return Response(200, b"", "text/plain")  # not on a node yet: there is nothing to tell
    names = ("follow", "tailLines", "sinceSeconds", "sinceTime", "timestamps", "previous", "limitBytes", "stream")
    params = {name: request.info.param(name) for name in names if request.info.param(name)}
    path = f"/containerLogs/{request.info.namespace}/{request.info.name}/{container}"
    client = await _kubelet(server, pod["spec"]["nodeName"])
    return await _streamed(client, "GET", path, params, "text/plain")


async def node_proxy(server: Server, request: Request) -> Response:
    """Anything below nodes/<name>/proxy."""
    client = await _kubelet(server, request.info.name)
    params = {name: values[0] for name, values in request.info.query.items()}
    return await _streamed(client, request.info.method, request.info.subpath or "/", params, "application/json")


async def execute(server: Server, request: Request) -> None:
    await _interactive(server, request, "exec")


async def attach(server: Server, request: Request) -> None:
    await _interactive(server, request, "attach")


async def port_forward(server: Server, request: Request) -> None:
    await _interactive(server, request, "portForward")


def chosen_container(pod: Tree, wanted: str) -> str:
    """The container that is meant. Raises BadRequest in upstream's words."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    groups = ("containers", "initContainers", "ephemeralContainers")
    known = [one["name"] for group in groups for one in spec.get(group) or ()]
    if wanted:
        if wanted not in known:
            raise BadRequest(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(spec["containers"]) == 1:
        return str(spec["containers"][0]["name"])
    default = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    if default in known:
        return str(default)
    listed = " ".join(one["name"] for one in spec["containers"])
    init = " ".join(one["name"] for one in spec.get("initContainers") or ())
    text = f"a container name must be specified for pod {name}, choose one of: [{listed}]"
    raise BadRequest(f"{text} or one of the init containers: [{init}]" if init else text)


def node_address(node: Tree, preferred: tuple[str, ...]) -> str:
    """host:port of a node's kubelet. Raises InternalError where the node tells no address."""
    status = node.get("status") or {}
    known = {one["type"]: one["address"] for one in reversed(status.get("addresses") or [])}
    host = next((known[kind] for kind in preferred if kind in known), "")
    if not host:
        listed = ", ".join(preferred)
        raise InternalError(f"Internal error occurred: no preferred addresses found; known addresses: {listed}")
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port") or KUBELET_PORT
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _pod(server: Server, request: Request) -> Tree:
    return await server.stores.store_for(resource_of(Pod)).get(Key(request.info.namespace, request.info.name))


async def _kubelet(server: Server, node_name: str) -> Client:
    """A client for a node's kubelet; one is kept for each address."""
    node = await server.stores.store_for(resource_of(Node)).get(Key("", node_name))
    address = node_address(node, server.config.kubelet_preferred_address_types)
    clients: dict[str, Client] = server.state.setdefault("kubelets", {})
    if address not in clients:
        config = server.config
        files = (config.kubelet_certificate_authority, config.kubelet_client_certificate, config.kubelet_client_key)
        authority, certificate, key = (file.read_bytes() if file else None for file in files)
        way = Config(f"https://{address}", "", authority, certificate, key, insecure=authority is None)
        client = Client(way, "kube-apiserver")
        await client.__aenter__()
        server.spawn(_close_at_end(client), f"kubelet {address}")
        clients[address] = client
    return clients[address]


async def _close_at_end(client: Client) -> None:
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await client.__aexit__()


async def _streamed(client: Client, method: str, path: str, params: dict[str, str], content_type: str) -> Response:
    """The kubelet's answer, passed on as it comes. The first byte is waited for, so that a refusal is an answer of its own."""
    stack = contextlib.AsyncExitStack()
    try:
        stream = await stack.enter_async_context(client.stream(method, path, params=params))
    except Unreachable as error:
        await stack.aclose()
        raise InternalError(f"Internal error occurred: error dialing backend: {error}") from None

    async def chunks() -> AsyncIterator[bytes]:
        async with stack:
            async for chunk in stream.iter_chunks():
                yield chunk

    return Response(200, stream=chunks(), content_type=content_type)


async def _interactive(server: Server, request: Request, verb: str) -> None:
    """Join the client's WebSocket with the kubelet's."""
    if not request.is_websocket:
        raise BadRequest("Upgrade request required")
    try:
        pod = await _pod(server, request)
        node = pod["spec"].get("nodeName")
        if not node:
            raise BadRequest(f"pod {request.info.name} does not have a host assigned")
        if verb != "portForward" and (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            phase = pod["status"]["phase"]
            why = f"cannot {verb} into a container in a completed pod; current phase is {phase}"
            raise is_forbidden("pods", "", request.info.name, why)
        path = f"/{verb}/{request.info.namespace}/{request.info.name}"
        if verb != "portForward":
            path += f"/{chosen_container(pod, request.info.param('container'))}"
        client = await _kubelet(server, node)
    except ApiError as error:
        await refuse_websocket(request, error)
        return
    await _joined(client, request, path)


async def _joined(client: Client, request: Request, path: str) -> None:
    params = [(name, value) for name, values in request.info.query.items() for value in values if name != "container"]
    protocols = tuple(request.scope.get("subprotocols") or ())
    try:
        async with client.websocket(path, params=params, protocols=protocols) as kubelet:
            await request.receive()  # websocket.connect
            await request.send({"type": "websocket.accept", "subprotocol": kubelet.protocol})
            tasks = {asyncio.ensure_future(_up(request, kubelet)), asyncio.ensure_future(_down(request, kubelet))}
            _, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    except ApiError as error:
        await refuse_websocket(request, error)
    except Unreachable as error:
        await refuse_websocket(request, InternalError(f"Internal error occurred: error dialing backend: {error}"))


async def _up(request: Request, kubelet: WebSocket) -> None:
    """From the client to the kubelet, until the client leaves."""
    while True:
        message = await request.receive()
        if message["type"] == "websocket.disconnect":
            await kubelet.close()
            return
        content = message.get("bytes") if message.get("bytes") is not None else message.get("text")
        if content is not None:
            await kubelet.send(content)


async def _down(request: Request, kubelet: WebSocket) -> None:
    """From the kubelet to the client, until the kubelet ends."""
    async for content in kubelet:
        kind = "bytes" if isinstance(content, bytes) else "text"
        await request.send({"type": "websocket.send", kind: content})
    with contextlib.suppress(RuntimeError):  # the client left first
        await request.send({"type": "websocket.close", "code": kubelet.close_code or 1000})
