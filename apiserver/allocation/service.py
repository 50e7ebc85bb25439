"""What a Service is given when it is written: cluster IP, IP families, node ports, health check port; and what it gives back.

https://kubernetes.io/docs/concepts/services-networking/service/ · kubernetes pkg/registry/core/service/storage/alloc.go
"""

import asyncio

from apiserver.allocation import cluster_ip, node_port
from apiserver.context import Release, Server
from kube.api.core.service_addresses import cluster_ip_errors
from kube.api.meta import Key, Tree, tree_key
from kube.api.resources import resource_of
from kube.api.status import FieldError, InternalError, invalid, invalid_object
from kube.api.types import IPAddress, Service, ServiceSpec
from kube.api.views import lenient_view
from kube.component.logging import get_logger

REPAIR_MARGIN_SECONDS = 10.0
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
HEADLESS = "None"

Leak = tuple[str | int, Key | node_port.Owner]  # an address or a port, and who took it

log = get_logger(__name__)


class _Taken:
    """What one write took, so that it can be given back."""

    def __init__(self, server: Server, service: Tree) -> None:
        self.server = server
        self.service = tree_key(service)
        self.owner = node_port.owner_of(service)
        self.addresses: list[str] = []
        self.ports: list[int] = []

    async def give_back(self, addresses: list[str], ports: list[int]) -> None:
        for address in addresses:
            await cluster_ip.give_back(self.server, address, self.service)
        for port in ports:
            await node_port.give_back(self.server, port, self.owner)


async def allocate(server: Server, new: Tree, old: Tree | None, dry_run: bool) -> Release | None:
    """Fill in what the Service's type wants; returns how to end it. Raises Invalid where what was asked for cannot be had."""
    taken = _Taken(server, new)
    try:
        await _allocate_address(taken, new, old, dry_run)
        await _allocate_ports(taken, new, old, dry_run)
    except BaseException:
        await taken.give_back(taken.addresses, taken.ports)
        raise
    dropped_addresses = sorted(addresses(old) - addresses(new)) if old else []
    dropped_ports = sorted(ports(old) - ports(new)) if old else []

    async def ended(stored: bool) -> None:
        if stored:
            await taken.give_back(dropped_addresses, dropped_ports)
        elif not dry_run:
            await taken.give_back(taken.addresses, taken.ports)

    return ended


async def release(server: Server, old: Tree) -> None:
    """A Service is gone: free what it held."""
    await _Taken(server, old).give_back(sorted(addresses(old)), sorted(ports(old)))


async def leaked(server: Server) -> set[Leak]:
    """What no Service holds: a server was killed between taking it and storing the Service. Or a Service is just being made."""
    services = {tree_key(tree): tree for tree in server.stores.store_for(resource_of(Service)).cached_list()}
    held_ports = {(node_port.owner_of(tree), port) for tree in services.values() for port in ports(tree)}
    found: set[Leak] = set()
    for tree in server.stores.store_for(resource_of(IPAddress)).cached_list():
        owner = cluster_ip.holder(tree)
        if tree["metadata"]["name"] not in addresses(services.get(owner)):
            found.add((tree["metadata"]["name"], owner))
    for port, holder in (await node_port.held(server)).items():
        if (holder, port) not in held_ports:
            found.add((port, holder))
    return found


async def repair(server: Server) -> None:
    """Free what leaked, once it has been so for longer than any request takes. Run when a server starts."""
    before = await leaked(server)
    if not before:
        return
    await asyncio.sleep(server.config.request_timeout + REPAIR_MARGIN_SECONDS)
    for what, owner in before & await leaked(server):
        log.info("freed what no service holds", what=what, owner=owner)
        if isinstance(owner, node_port.Owner):
            await node_port.give_back(server, int(what), owner)
        else:
            await cluster_ip.give_back(server, str(what), owner)


def addresses(service: Tree | None) -> set[str]:
    """The cluster IPs that a Service holds."""
    spec = (service or {}).get("spec") or {}
    listed = {*(spec.get("clusterIPs") or ()), spec.get("clusterIP") or ""}
    return set() if spec.get("type") == "ExternalName" else listed - {"", HEADLESS}


def ports(service: Tree | None) -> set[int]:
    """The node ports that a Service holds."""
    spec = (service or {}).get("spec") or {}
    found = {port.get("nodePort") or 0 for port in spec.get("ports") or ()} if spec.get("type") in WITH_NODE_PORTS else set()
    return (found | {spec.get("healthCheckNodePort") or 0}) - {0}


async def _allocate_address(taken: _Taken, new: Tree, old: Tree | None, dry_run: bool) -> None:
    spec = new["spec"]
    if spec.get("type") == "ExternalName":
        return
    before = (old or {}).get("spec") or {}
    if before.get("clusterIP") and before.get("type") != "ExternalName":
        if not spec.get("clusterIP"):
            spec["clusterIP"] = before["clusterIP"]  # an update that says nothing of it keeps it
        elif spec["clusterIP"] != before["clusterIP"]:
            raise _refused(new, invalid("spec.clusterIPs[0]", [spec["clusterIP"]], "may not change once set"))
        if not spec.get("clusterIPs"):
            spec["clusterIPs"] = before.get("clusterIPs") or [spec["clusterIP"]]
    _check_families(new)
    asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
    if asked and asked not in (HEADLESS, *addresses(old)):
        await _take_address(taken, new, asked, dry_run)
    elif not asked:
        try:
            asked = await cluster_ip.take_any(taken.server, taken.service, dry_run=dry_run)
        except cluster_ip.Full as error:
            raise InternalError(f"Internal error occurred: {error}") from None
        taken.addresses.append(asked)
    spec["clusterIP"], spec["clusterIPs"] = asked, [asked]
    spec["ipFamilies"] = spec.get("ipFamilies") or ["IPv4"]
    spec["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or "SingleStack"


def _check_families(new: Tree) -> None:
    """Of addresses there are IPv4's only (our choice, for now); a Service without selector and address may say what it likes."""
    spec = new["spec"]
    errors = list(cluster_ip_errors(_spec_of(new)))
    if errors:
        raise invalid_object("Service", "", new["metadata"]["name"], errors)
    if spec.get("clusterIP") == HEADLESS and not spec.get("selector"):
        return
    if spec.get("ipFamilyPolicy") == "RequireDualStack":
        text = "this cluster is not configured for dual-stack services"
        errors.append(invalid("spec.ipFamilyPolicy", "RequireDualStack", text))
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family != "IPv4":
            errors.append(invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster"))
    if errors:
        raise invalid_object("Service", "", new["metadata"]["name"], errors)


async def _take_address(taken: _Taken, new: Tree, address: str, dry_run: bool) -> None:
    try:
        await cluster_ip.take(taken.server, address, taken.service, dry_run=dry_run)
    except (cluster_ip.Taken, ValueError) as error:
        why = "provided IP is already allocated" if isinstance(error, cluster_ip.Taken) else str(error)
        detail = f"failed to allocate IP {address}: {why}"
        raise _refused(new, invalid("spec.clusterIPs", [address], detail)) from None
    taken.addresses.append(address)


async def _allocate_ports(taken: _Taken, new: Tree, old: Tree | None, dry_run: bool) -> None:
    spec = new["spec"]
    listed = spec.get("ports") or []
    if spec.get("type") not in WITH_NODE_PORTS:
        if old is not None:
            _drop_unwanted(spec, old)
        return
    _keep_ports(listed, old)
    held, chosen = ports(old), dict[int, int]()
    for index, port in enumerate(listed):
        if port.get("nodePort"):
            if port["nodePort"] not in held:
                await _take_port(taken, new, f"spec.ports[{index}].nodePort", port["nodePort"], dry_run)
            held.add(port["nodePort"])
    for port in listed:
        if not port.get("nodePort") and spec.get("allocateLoadBalancerNodePorts", True):
            same = chosen.get(port.get("port", 0))  # one number for a port's several protocols
            port["nodePort"] = same or await _any_port(taken, dry_run)
            chosen[port.get("port", 0)] = port["nodePort"]
    if spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
        await _health_check_port(taken, new, old, dry_run)


async def _health_check_port(taken: _Taken, new: Tree, old: Tree | None, dry_run: bool) -> None:
    """Where load balancers ask whether a node has endpoints: kept, as asked for, or any."""
    spec, kept = new["spec"], ((old or {}).get("spec") or {}).get("healthCheckNodePort")
    asked = spec.get("healthCheckNodePort")
    if asked and asked != kept:
        await _take_port(taken, new, "spec.healthCheckNodePort", asked, dry_run)
    spec["healthCheckNodePort"] = asked or kept or await _any_port(taken, dry_run)


async def _take_port(taken: _Taken, new: Tree, path: str, port: int, dry_run: bool) -> None:
    try:
        if await node_port.take(taken.server, port, taken.owner, dry_run=dry_run):
            taken.ports.append(port)
    except (node_port.Taken, ValueError) as error:
        why = "provided port is already allocated" if isinstance(error, node_port.Taken) else str(error)
        raise _refused(new, invalid(path, port, why)) from None


async def _any_port(taken: _Taken, dry_run: bool) -> int:
    try:
        port = await node_port.take_any(taken.server, taken.owner, dry_run=dry_run)
    except node_port.Full as error:
        raise InternalError(f"Internal error occurred: {error}") from None
    taken.ports.append(port)
    return port


def _keep_ports(listed: list[Tree], old: Tree | None) -> None:
    """A port that an update names again without its node port keeps it (patchAllocatedValues)."""
    before = {
        (port.get("protocol", "TCP"), port.get("port")): port.get("nodePort")
        for port in ((old or {}).get("spec") or {}).get("ports") or ()
    }
    used = {port.get("nodePort") for port in listed}
    for port in listed:
        kept = before.get((port.get("protocol", "TCP"), port.get("port")))
        if not port.get("nodePort") and kept and kept not in used:
            port["nodePort"] = kept


def _drop_unwanted(spec: Tree, old: Tree) -> None:
    """A Service without node ports loses those that it had, unless the client changed them (dropTypeDependentFields)."""
    before = {port.get("nodePort") for port in old["spec"].get("ports") or ()}
    for port in spec.get("ports") or ():
        if port.get("nodePort") in before:
            port.pop("nodePort", None)
    if spec.get("healthCheckNodePort") == old["spec"].get("healthCheckNodePort"):
        spec.pop("healthCheckNodePort", None)


def _spec_of(service: Tree) -> ServiceSpec:
    spec = lenient_view(Service, service).spec
    assert spec is not None, "defaults have made one"
    return spec


def _refused(service: Tree, error: FieldError) -> Exception:
    return invalid_object("Service", "", service["metadata"]["name"], [error])
