"""componentstatuses: are scheduler, controller manager and etcd well. Asked live; kept for those who know it.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/component-status-v1/ (deprecated)
"""

import asyncio

import orjson

from apiserver.context import Request, Response, Server, json_response
from kube.api import table
from kube.api.meta import Tree
from kube.api.status import ApiError, not_found
from kube.client.kubeconfig import Config
from kube.client.rest import Client, Unreachable

LOCAL_PROGRAMS = {"scheduler": 10259, "controller-manager": 10257}
ASK_SECONDS = 3
WARNING = "v1 ComponentStatus is deprecated in v1.19+"


async def read(server: Server, request: Request) -> Response:
    """GET one or all."""
    request.warn(WARNING)
    wanted = [*LOCAL_PROGRAMS, "etcd-0"]
    if request.info.name and request.info.name not in wanted:
        raise not_found("componentstatuses", "", request.info.name)
    names = [request.info.name] if request.info.name else wanted
    found = [await _status(server, name) for name in names]
    row = request.info.resource
    assert row is not None, "routed by its row"
    if "as=Table" in request.headers.get("accept", ""):
        now = server.stores.store_for(row).now()
        return json_response(table.table(row, found, now=now))
    if request.info.name:
        return json_response(found[0])
    return json_response({"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {}, "items": found})


async def _status(server: Server, name: str) -> Tree:
    healthy, message, error = await (_etcd(server) if name == "etcd-0" else _program(LOCAL_PROGRAMS[name]))
    condition: Tree = {"type": "Healthy", "status": "True" if healthy else "False", "message": message}
    if error:
        condition["error"] = error
    return {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name}, "conditions": [condition]}


async def _program(port: int) -> tuple[bool, str, str]:
    """A program on this host; its certificate is its own and is not checked, as upstream does not."""
    try:
        async with asyncio.timeout(ASK_SECONDS), Client(Config(f"https://127.0.0.1:{port}", insecure=True)) as client:
            answer = await client.request("GET", "/healthz")
    except (Unreachable, TimeoutError) as error:
        return False, f'Get "https://127.0.0.1:{port}/healthz": {error or "timed out"}', ""
    except ApiError as error:
        return False, error.message, error.message
    return True, answer.body.decode("utf-8", "replace"), ""


async def _etcd(server: Server) -> tuple[bool, str, str]:
    try:
        await server.etcd.get("health")
    except ApiError as error:
        return False, "", error.message
    return True, orjson.dumps({"health": "true", "reason": ""}).decode(), ""
