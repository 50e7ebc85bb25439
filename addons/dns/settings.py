"""What a Corefile says, understood: which zones are answered how. Pure.

Plugins of CoreDNS that are here: cache, errors, forward, health, hosts, kubernetes, log, loadbalance, loop, prometheus, ready,
reload. They act in CoreDNS's fixed order, whatever their order in the file. A plugin or option that is not here is an error: a
setting that is read over in silence is worse than one that is refused.
https://coredns.io/plugins/ · https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from addons.dns import wire
from addons.dns.corefile import CorefileError, Directive, ServerBlock, parse
from addons.dns.zone import PODS_DISABLED, PODS_INSECURE
from kube.api import duration

DNS_PORT = 53
MOST_PORT = 65535
MOST_NUMBER = 999_999_999  # of seconds or entries: more is a slip of the finger, and would not fit into a message
POLICIES = ("random", "round_robin", "sequential")
SHORTEST_RELOAD_SECONDS = 2.0


@dataclass(frozen=True)
class Kubernetes:
    zones: tuple[bytes, ...]
    ttl: int = 5
    pods: str = PODS_DISABLED
    fallthrough: tuple[bytes, ...] = ()  # zones whose unknown names are left to the plugins after this one


@dataclass(frozen=True)
class Hosts:
    addresses: Mapping[bytes, tuple[str, ...]]
    ttl: int = 3600
    fallthrough: bool = False


@dataclass(frozen=True)
class Forward:
    zone: bytes
    to: tuple[str, ...]  # addresses with ports, or files like /etc/resolv.conf
    exclude: tuple[bytes, ...] = ()
    max_concurrent: int = 0  # 0: any number
    policy: str = "random"


@dataclass(frozen=True)
class Caching:
    longest: int = 3600  # seconds, of answers
    longest_denial: int = 1800
    capacity: int = 9984  # of answers, and again of denials


@dataclass(frozen=True)
class Block:
    """One server block."""

    zones: tuple[bytes, ...]
    kubernetes: Kubernetes | None = None
    hosts: Hosts | None = None
    forward: Forward | None = None
    cache: Caching | None = None
    loop: bool = False
    log: bool = False
    rotate: bool = False  # loadbalance
    plugins: tuple[str, ...] = ()  # as listed, for coredns_plugin_enabled


@dataclass(frozen=True)
class Settings:
    blocks: tuple[Block, ...]
    port: int = DNS_PORT
    health: str = ""  # addresses; empty: not served
    lameduck: float = 0.0  # seconds between the signal to end and the end
    ready: str = ""
    prometheus: str = ""
    reload: float = 0.0  # seconds between looks at the Corefile; 0: never
    source: str = field(default="", compare=False)


def read(text: str, environment: Mapping[str, str], port: int = DNS_PORT) -> Settings:
    """Raises CorefileError."""
    settings = Settings((), source=text)
    blocks, ports = [], set()
    for one in parse(text, environment):
        zones = [_zone_and_port(zone, one.line, port) for zone in one.zones]
        ports |= {own for _zone, own in zones}
        settings = _program(settings, one)
        blocks.append(_block(tuple(zone for zone, _own in zones), one))
    if not blocks:
        raise CorefileError("there is no server block")
    if len(ports) > 1:
        raise CorefileError(f"all zones are served on one port, not on {', '.join(map(str, sorted(ports)))}")
    served = [zone for block in blocks for zone in block.zones]
    for zone in served:
        if served.count(zone) > 1:
            raise CorefileError(f"zone {wire.text_of(zone)} is in two server blocks")
    return replace(settings, blocks=tuple(blocks), port=ports.pop())


def _program(settings: Settings, block: ServerBlock) -> Settings:
    """The plugins that are the whole program's, in whichever block they stand."""
    for one in block.plugins:
        match one.name:
            case "health":
                lameduck = next((option for option in one.options if option.name == "lameduck"), None)
                seconds = _seconds(lameduck) if lameduck else 0.0
                settings = replace(settings, health=_first(one, ":8080"), lameduck=seconds)
            case "ready":
                settings = replace(settings, ready=_first(one, ":8181"))
            case "prometheus":
                settings = replace(settings, prometheus=_first(one, "localhost:9153"))
            case "reload":
                seconds = _seconds(one) if one.arguments else 30.0
                settings = replace(settings, reload=max(seconds, SHORTEST_RELOAD_SECONDS))
    return settings


def _block(zones: tuple[bytes, ...], block: ServerBlock) -> Block:
    found = Block(zones, plugins=tuple(one.name for one in block.plugins))
    for one in block.plugins:
        match one.name:
            case "kubernetes":
                found = replace(found, kubernetes=_kubernetes(one, zones))
            case "hosts":
                found = replace(found, hosts=_hosts(one))
            case "forward":
                found = replace(found, forward=_forward(one))
            case "cache":
                found = replace(found, cache=_caching(one))
            case "loop":
                found = replace(found, loop=True)
            case "log":
                found = replace(found, log=True)
            case "loadbalance":
                found = replace(found, rotate=True)
            case "errors" | "health" | "ready" | "prometheus" | "reload":
                pass  # of the whole program, or always so
            case _:
                raise CorefileError(f"line {one.line}: unknown plugin {one.name!r}")
    return found


def _kubernetes(one: Directive, served: tuple[bytes, ...]) -> Kubernetes:
    found = Kubernetes(tuple(_zone(zone, one.line) for zone in one.arguments) or served)
    for option in one.options:
        match option.name, option.arguments:
            case "pods", (mode,) if mode in (PODS_DISABLED, PODS_INSECURE):
                found = replace(found, pods=mode)
            case "ttl", (seconds,) if _is_number(seconds, 3600):
                found = replace(found, ttl=int(seconds))
            case "fallthrough", zones:
                found = replace(found, fallthrough=tuple(_zone(zone, option.line) for zone in zones) or found.zones)
            case _:
                raise _refused(one, option)
    return found


def _hosts(one: Directive) -> Hosts:
    if one.arguments:
        raise CorefileError(f"line {one.line}: hosts: only names that stand in the Corefile itself are served")
    names: dict[bytes, tuple[str, ...]] = {}
    ttl, fallthrough = Hosts.ttl, False
    for option in one.options:
        match option.name, option.arguments:
            case "ttl", (seconds,) if _is_number(seconds, 65535):
                ttl = int(seconds)
            case "fallthrough", ():
                fallthrough = True
            case address, (_, *_) if _is_address(address):
                for name in option.arguments:
                    key = _zone(name, option.line)
                    names[key] = (*names.get(key, ()), address)
            case _:
                raise _refused(one, option)
    return Hosts(names, ttl, fallthrough)


def _forward(one: Directive) -> Forward:
    if len(one.arguments) < 2:
        raise CorefileError(f"line {one.line}: forward needs a zone and where to forward to")
    zone, *to = one.arguments
    found = Forward(_zone(zone, one.line), tuple(to))
    for target in to:
        if not target.startswith("/"):
            server_address(target, one.line)
    for option in one.options:
        match option.name, option.arguments:
            case "except", zones if zones:
                found = replace(found, exclude=tuple(_zone(name, option.line) for name in zones))
            case "max_concurrent", (number,) if _is_number(number):
                found = replace(found, max_concurrent=int(number))
            case "policy", (policy,) if policy in POLICIES:
                found = replace(found, policy=policy)
            case "prefer_udp", ():
                pass  # as it is done: by the protocol that was asked by
            case _:
                raise _refused(one, option)
    return found


def _caching(one: Directive) -> Caching:
    found = Caching()
    if one.arguments:
        if not _is_number(one.arguments[0]):
            raise CorefileError(f"line {one.line}: cache: {one.arguments[0]!r} is no number of seconds")
        longest = int(one.arguments[0])
        found = Caching(longest, longest)
    for option in one.options:
        match option.name, option.arguments:
            case "success", (size, *rest) if all(map(_is_number, option.arguments)):
                found = replace(found, capacity=max(1, int(size)), longest=int(rest[0]) if rest else found.longest)
            case "denial", (size, *rest) if all(map(_is_number, option.arguments)):
                found = replace(found, capacity=max(1, int(size)), longest_denial=int(rest[0]) if rest else found.longest_denial)
            case "disable", ("success" | "denial", *_):
                pass  # the cluster's own names are never cached: they are answered from memory
            case _:
                raise _refused(one, option)
    return found


def server_address(text: str, line: int = 0) -> tuple[str, int]:
    """`1.2.3.4`, `1.2.3.4:5353`, `[::1]:53`, `dns://...` to an address and a port. Raises CorefileError."""
    host, port = text.removeprefix("dns://"), str(DNS_PORT)
    if host.startswith("[") or host.count(":") == 1:
        host, _, given = host.rpartition(":") if not host.endswith("]") else (host, "", port)
        port = given
    host = host.strip("[]")
    if not _is_address(host) or not _is_number(port, MOST_PORT):
        raise CorefileError(f"line {line}: {text!r} is not an address of a name server")
    return host, int(port)


def _zone_and_port(text: str, line: int, default: int) -> tuple[bytes, int]:
    name, _, port = text.removeprefix("dns://").partition(":")
    if port and not _is_number(port, MOST_PORT):
        raise CorefileError(f"line {line}: {text!r} is not a zone with a port")
    return _zone(name, line), int(port) if port and int(port) != DNS_PORT else default


def _zone(text: str, line: int) -> bytes:
    """A domain name, or an IPv4 range as 10.0.0.0/8 for its reverse zone."""
    try:
        if "/" in text:
            network = ipaddress.IPv4Network(text)
            octets = str(network.network_address).split(".")[: network.prefixlen // 8]
            return wire.name_of(".".join([*octets[::-1], "in-addr.arpa"]))
        return wire.name_of(text)
    except (wire.Malformed, ValueError) as error:
        raise CorefileError(f"line {line}: {error}") from error


def _seconds(one: Directive) -> float:
    try:
        return float(duration.parse_go(one.arguments[0]))
    except (IndexError, ValueError) as error:
        raise CorefileError(f"line {one.line}: {one.name} needs a duration, such as 5s") from error


def _first(one: Directive, default: str) -> str:
    return one.arguments[0] if one.arguments else default


def _is_number(text: str, most: int = MOST_NUMBER) -> bool:
    return text.isdecimal() and len(text) <= len(str(MOST_NUMBER)) and int(text) <= most


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _refused(plugin: Directive, option: Directive) -> CorefileError:
    return CorefileError(f"line {option.line}: {plugin.name}: cannot use {' '.join((option.name, *option.arguments))!r}")
