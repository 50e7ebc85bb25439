"""Availability: whether the server behind an APIService answers, told in its condition Available. Reasons and words are upstream's.

    Local                   this server serves it itself
    ServiceNotFound         the Service is not there
    ServicePortError        it does not listen on the port
    EndpointsNotFound       it has no EndpointSlice
    MissingEndpoints        none of its endpoints is ready
    FailedDiscoveryCheck    no answer, or a bad one, from /apis/<group>/<version>
    Passed                  all is well

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/api-service-v1/#APIServiceStatus
kube-aggregator pkg/controllers/status/remote/remote_available_controller.go
"""

import asyncio
from typing import NamedTuple

from apiserver.aggregator.registry import AVAILABLE, Aggregator, Remote
from apiserver.context import Server, User
from apiserver.webhooks.client import connections_of
from apiserver.webhooks.connections import CallFailed, Destination
from apiserver.webhooks.resolver import SERVICE_NAME, resolve
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.types import EndpointSlice, Service

PROBE_SECONDS = 5.0
TRIES = 5  # of which one must succeed
LARGEST_BYTES = 16 << 20
PROBER = User("system:kube-aggregator", ("system:masters",))


class Finding(NamedTuple):
    """What the condition says."""

    available: bool
    reason: str
    message: str


LOCAL = Finding(True, "Local", "Local APIServices are always available")
PASSED = Finding(True, "Passed", "all checks passed")


def finding_of(remote: Remote, service: Tree | None, slices: list[Tree]) -> Finding | None:
    """What the cluster's objects say; None: nothing against it. Pure."""
    where = f'service/{remote.service} in "{remote.namespace}"'
    if service is None:
        return Finding(False, "ServiceNotFound", f"{where} is not present")
    if (service["spec"].get("type") or "ClusterIP") != "ClusterIP":
        return None  # an address that is no concern of this cluster's endpoints
    port = next((one for one in service["spec"].get("ports") or () if one.get("port") == remote.port), None)
    if port is None:
        return Finding(False, "ServicePortError", f"{where} is not listening on port {remote.port}")
    if not slices:
        return Finding(False, "EndpointsNotFound", f"cannot find endpointslices for {where}")
    name = port.get("name") or ""
    if not any(_serves(one, name) for one in slices):
        text = f'endpointslices for {where} have no addresses with port name "{name}"'
        return Finding(False, "MissingEndpoints", text)
    return None


def _serves(one: Tree, port: str) -> bool:
    named = any((known.get("name") or "") == port for known in one.get("ports") or ())
    ready = any((known.get("conditions") or {}).get("ready") is not False for known in one.get("endpoints") or ())
    return named and ready


async def look(server: Server, aggregator: Aggregator, remote: Remote) -> Finding:
    """What there is to say of a remote APIService now."""
    service = server.stores.store_for(resource_of(Service)).cached(Key(remote.namespace, remote.service))
    slices = server.stores.store_for(resource_of(EndpointSlice)).cached_list(remote.namespace)
    own = [one for one in slices if (one["metadata"].get("labels") or {}).get(SERVICE_NAME) == remote.service]
    found = finding_of(remote, service, own)
    return found or await _probed(server, aggregator, remote)


async def _probed(server: Server, aggregator: Aggregator, remote: Remote) -> Finding:
    """Ask several times at once; one good answer is enough."""
    asked = [asyncio.ensure_future(_probe(server, aggregator, remote)) for _ in range(TRIES)]
    why = ""
    try:
        for one in asyncio.as_completed(asked):
            why = await one
            if not why:
                return PASSED
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    return Finding(False, "FailedDiscoveryCheck", why)


async def _probe(server: Server, aggregator: Aggregator, remote: Remote) -> str:
    """Why the server does not do, or nothing."""
    url = f"https://{remote.host}:{remote.port}{remote.path}"
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            url, status, _ = await ask(server, aggregator, remote, remote.path)
    except TimeoutError:
        return f'failing or missing response from {url}: Get "{url}": context deadline exceeded'
    except CallFailed as error:
        return f'failing or missing response from {url}: Get "{url}": {error}'
    if not 200 <= status < 300:
        return f"failing or missing response from {url}: bad status from {url}: {status}"
    return ""


async def ask(
    server: Server, aggregator: Aggregator, remote: Remote, path: str, accept: str = "application/json"
) -> tuple[str, int, bytes]:
    """GET something of a remote server in this one's own name: the URL asked, the answer's code and body. Raises CallFailed."""
    place = resolve(server, remote.namespace, remote.service, remote.port)
    destination = Destination(place.host, place.port, remote.host, aggregator.trust(remote))
    headers = [
        (b"host", remote.host.encode()),
        (b"accept", accept.encode()),
        (b"x-remote-user", PROBER.name.encode()),
        *((b"x-remote-group", group.encode()) for group in PROBER.groups),
    ]
    answer = await connections_of(server).request(destination, "GET", path, headers)
    return f"https://{destination.address}{path}", answer.status, await answer.read(LARGEST_BYTES)


def with_finding(tree: Tree, finding: Finding, now: str) -> Tree:
    """The APIService with its condition; its time changes with its status only. Pure."""
    conditions = (tree.get("status") or {}).get("conditions") or []
    status = "True" if finding.available else "False"
    old = next((one for one in conditions if one["type"] == AVAILABLE), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
    new = {"type": AVAILABLE, "status": status, "lastTransitionTime": since, "reason": finding.reason, "message": finding.message}
    others = [one for one in conditions if one["type"] != AVAILABLE]
    return {**tree, "status": {**(tree.get("status") or {}), "conditions": [*others, new]}}
