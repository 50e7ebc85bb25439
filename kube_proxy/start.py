"""How kube-proxy is put together: client, informers, rules, health; and its clean-up."""

import asyncio
import gc
import ipaddress
import socket
import time

from kube.api.status import ApiError
from kube.api.types import Node
from kube.client import kubeconfig
from kube.client.informer import Informer, Informers
from kube.client.rest import Client, Unreachable
from kube.component.health import Health
from kube.component.http_server import serve
from kube.component.logging import get_logger
from kube.component.run import StartupError
from kube_proxy import modes, service_route
from kube_proxy.config import Config, with_file
from kube_proxy.health import ProxyHealth, respond
from kube_proxy.health_check_ports import HealthCheckPorts
from kube_proxy.layout import Settings
from kube_proxy.nft_expression import Family, Network
from kube_proxy.proxy import Proxy

log = get_logger(__name__)

PRIMARY = "primary"
# Claims are tens of thousands of small objects without cycles; at its defaults the collector goes through them over and over.
GC_THRESHOLDS = (500_000, 20, 50)


async def start(given: Config) -> None:
    """Run until cancelled; with --cleanup, only clean up."""
    if given.cleanup:
        await asyncio.to_thread(clean_up)
        return
    gc.set_threshold(*GC_THRESHOLDS)
    config = with_file(given)
    node = config.hostname_override.strip().lower() or socket.gethostname().lower()
    families = modes.families()
    parts = [_part_of(config.service_cluster_ip_range, "--service-cluster-ip-range", family) for family in families]
    ranges = [one for one in parts if one is not None]
    if ranges:
        await asyncio.to_thread(service_route.put, ranges)
    async with Client(kubeconfig.load(config.kubeconfig, server=config.master), "kube-proxy") as client:
        addresses = await _node_port_addresses(config, client, node)
        mode = await asyncio.to_thread(modes.chosen, config, [_settings(config, family, addresses) for family in families])
        informers = Informers(client)
        own_node: Informer[Node] = Informer(client, Node, field_selector=f"metadata.name={node}")
        proxy = Proxy(informers, node, own_node, mode, pace=config.min_sync_period, sync_period=config.sync_period)
        health = ProxyHealth(proxy, lambda: next(iter(own_node.cache), None), 2 * config.sync_period)
        ports = HealthCheckPorts(lambda: health.healthy(time.time()))
        proxy.on_rules.append(ports.take)
        await _serve(config, health)
        async with asyncio.TaskGroup() as tasks:
            for work in (informers.run, own_node.run, ports.run, proxy.run):
                tasks.create_task(work())
            if ranges:
                tasks.create_task(service_route.ServiceRanges(client, ranges).run())


def clean_up() -> None:
    """Take away all that kube-proxy put on this node, in any mode: rules, routes, devices. Blocks."""
    modes.clean_up()
    service_route.remove()


def _settings(config: Config, family: Family, addresses: tuple[Network, ...]) -> Settings:
    return Settings(
        cluster_cidr=_part_of(config.cluster_cidr, "--cluster-cidr", family),
        service_cidr=_part_of(config.service_cluster_ip_range, "--service-cluster-ip-range", family),
        masquerade_all=config.masquerade_all,
        node_port_addresses=tuple(network for network in addresses if network.version == family.loopback.version),
        family=family,
    )


async def _serve(config: Config, health: ProxyHealth) -> None:
    if config.healthz_bind_address:
        await serve(health.app, *_address(config.healthz_bind_address, "--healthz-bind-address"))
    if config.metrics_bind_address:
        pages = Health(config=config, config_name="kubeproxy.config.k8s.io")

        async def app(scope: dict[str, object], receive: object, send: object) -> None:
            if scope["type"] == "http" and scope["path"] == "/proxyMode":
                await respond(
                    send, 200, (config.proxy_mode or modes.DEFAULT).encode(), ((b"content-type", b"text/plain; charset=utf-8"),)
                )
            else:
                await pages.app(scope, receive, send)

        await serve(app, *_address(config.metrics_bind_address, "--metrics-bind-address"))


async def _node_port_addresses(config: Config, client: Client, node: str) -> tuple[Network, ...]:
    """The networks of --nodeport-addresses; `primary` is the node's internal addresses."""
    if config.nodeport_addresses != (PRIMARY,):
        return tuple(network for text in config.nodeport_addresses for network in _networks(text, "--nodeport-addresses"))
    try:
        known = (await client.get(Node, "", node)).status.addresses or ()
    except (ApiError, Unreachable) as error:
        raise StartupError(f"--nodeport-addresses=primary: cannot read node {node}: {error}") from error
    internal = [one.address for one in known if one.type == "InternalIP"]
    found = tuple(network for address in internal for network in _networks(address, f"address of node {node}"))
    if not found:
        raise StartupError(f"--nodeport-addresses=primary: node {node} has no InternalIP in its status yet")
    return found


def _part_of(text: str, name: str, family: Family) -> Network | None:
    """The network of one family among up to two that are given by commas; None where there is none."""
    return next((network for network in _networks(text, name) if network.version == family.loopback.version), None)


def _networks(text: str, name: str) -> list[Network]:
    try:
        return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise StartupError(f"{name}: {error}") from error


def _address(text: str, name: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise StartupError(f"{name}: {text!r} is not an address with a port")
    return host.strip("[]") or "0.0.0.0", int(port)
