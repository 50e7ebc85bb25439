"""Connect: admission of requests that are passed on to a node or a pod. The query is their object, of a kind of its own.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ (operation CONNECT)
apiserver pkg/endpoints/handlers/rest.go (ConnectResource)
"""

from collections.abc import Callable, Mapping

from apiserver.context import Request, RequestInfo, Server
from apiserver.handlers.admit import admitted
from kube.api.meta import Tree

STREAMS = ("stdin", "stdout", "stderr", "tty")


async def admit(server: Server, request: Request) -> None:
    """Raises what admission raises."""
    await admitted(server, request, "CONNECT", options(request.info))


def options(info: RequestInfo) -> Tree:
    """The PodExecOptions and the like that a request's query and path say. Pure."""
    row = info.resource
    kind = row.kind if row is not None else ""
    suffix, fields = OPTIONS[info.subresource]
    return {"kind": f"{kind}{suffix}", "apiVersion": "v1", **fields(info)}


def _streams(info: RequestInfo) -> Tree:
    tree: Tree = {name: True for name in STREAMS if info.flag(name)}
    if info.param("container"):
        tree["container"] = info.param("container")
    return tree


def _exec(info: RequestInfo) -> Tree:
    return {**_streams(info), "command": info.query.get("command", [])}


def _ports(info: RequestInfo) -> Tree:
    return {"ports": [int(port) for text in info.query.get("ports", []) for port in text.split(",") if port.isdecimal()]}


def _path(info: RequestInfo) -> Tree:
    return {"path": info.subpath or "/"}


OPTIONS: Mapping[str, tuple[str, Callable[[RequestInfo], Tree]]] = {
    "attach": ("AttachOptions", _streams),
    "exec": ("ExecOptions", _exec),
    "portforward": ("PortForwardOptions", _ports),
    "proxy": ("ProxyOptions", _path),
}
