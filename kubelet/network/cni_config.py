"""CNI configuration: which plugins there are, and what each is told. Pure, but for reading the directory.

The first file of the directory, by name, that holds a network counts, as with upstream's runtimes; `.conf` and `.json` are a list
of one plugin. Each plugin is told its part of the list, with the list's name and version, the result of the one before, and those
of its capabilities that the pod asks something of.
https://www.cni.dev/docs/spec/ (section 1 and "Deriving execution configuration from plugin configuration")
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kube.component.logging import get_logger
from kubelet.pod_network import Bandwidth, HostPort

log = get_logger(__name__)

SUFFIXES = (".conf", ".conflist", ".json")
DEFAULT_VERSION = "0.1.0"
MOST_BURST = 2_147_483_647  # bits: as much as the bandwidth plugin takes
VERSION_WITH_CHECK = (0, 4, 0)


@dataclass(frozen=True)
class NetworkList:
    """A network: its plugins in the order of ADD."""

    name: str
    version: str
    plugins: tuple[dict[str, Any], ...]
    checks: bool  # whether CHECK may be asked


def find_network(directory: Path) -> NetworkList | None:
    """The network that counts; None where there is none. Files that cannot be read are passed over, and told."""
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.suffix not in SUFFIXES:
            continue
        try:
            return parse_network(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            log.warning("not a CNI network, passed over", file=str(path), reason=error)
    return None


def parse_network(tree: Any) -> NetworkList:
    """A list, or a single plugin as a list of one. Raises ValueError."""
    if not isinstance(tree, dict) or not isinstance(tree.get("name"), str) or not tree["name"]:
        raise ValueError("a network configuration has a name")
    plugins = tree.get("plugins", [tree])
    if not isinstance(plugins, list) or not plugins:
        raise ValueError("a network configuration has plugins")
    if not all(isinstance(one, dict) and isinstance(one.get("type"), str) and "/" not in one["type"] for one in plugins):
        raise ValueError("each plugin has a type, which is the name of its program")
    version = str(tree.get("cniVersion") or DEFAULT_VERSION)
    numbers = tuple(int(part) for part in version.split("."))
    return NetworkList(
        tree["name"], version, tuple(plugins), numbers >= VERSION_WITH_CHECK and tree.get("disableCheck") is not True
    )


def execution_config(
    network: NetworkList, plugin: dict[str, Any], previous: dict[str, Any] | None, asked: dict[str, Any]
) -> dict[str, Any]:
    """What a plugin reads on its standard input. `asked` is by capability."""
    told = {name: value for name, value in plugin.items() if name != "capabilities"}
    capabilities = plugin.get("capabilities") or {}
    runtime = {name: value for name, value in asked.items() if capabilities.get(name) is True}
    told |= {"cniVersion": network.version, "name": network.name}
    if runtime:
        told["runtimeConfig"] = runtime
    if previous is not None:
        told["prevResult"] = previous
    return told


def asked_capabilities(host_ports: Sequence[HostPort], bandwidth: Bandwidth) -> dict[str, Any]:
    """What the pod wants of its network beyond an address. https://www.cni.dev/docs/conventions/"""
    asked: dict[str, Any] = {}
    if host_ports:
        asked["portMappings"] = [
            {
                "hostPort": one.host_port,
                "containerPort": one.container_port,
                "protocol": one.protocol.lower(),
                "hostIP": one.host_ip,
            }
            for one in host_ports
        ]
    limits: dict[str, int] = {}
    for way in ("ingress", "egress"):
        rate = getattr(bandwidth, way)
        if rate:
            limits |= {f"{way}Rate": rate, f"{way}Burst": MOST_BURST}
    if limits:
        asked["bandwidth"] = limits
    return asked


def address_of(result: dict[str, Any]) -> str:
    """The pod's address in a result of any version; empty where there is none."""
    found = [str(one.get("address", "")) for one in result.get("ips") or ()]
    if isinstance(result.get("ip4"), dict):  # versions before 0.3.0
        found.append(str(result["ip4"].get("ip", "")))
    return next((text.partition("/")[0] for text in found if text and ":" not in text), "")
