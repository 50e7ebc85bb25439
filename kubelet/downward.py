"""Downward API: a pod's own fields and resources, as text for variables and files. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/downward-api/ · upstream pkg/fieldpath, pkg/api/v1/resource
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING

from kube.api import quantity
from kube.api.types import Container, Pod, ResourceFieldSelector
from kubelet.container_error import ConfigError
from kubelet.pod_state import all_containers

_SUBSCRIPT = re.compile(r"^(metadata\.(?:labels|annotations))\['(.*)'\]$")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True)
class PodFacts:
    """What the pod object does not say yet when its containers start."""

    pod_ips: tuple[str, ...] = ()
    host_ips: tuple[str, ...] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)  # of the node: the limit of what has none


def field_value(pod: Pod, path: str, facts: PodFacts) -> str:
    """The text of one field; whole maps are `key="value"` lines, sorted."""
    subscript = _SUBSCRIPT.match(path)
    if subscript is not None:
        return _map(pod, subscript.group(1)).get(subscript.group(2), "")
    if path in ("metadata.labels", "metadata.annotations"):
        return format_map(_map(pod, path))
    simple = {
        "metadata.name": pod.metadata.name,
        "metadata.namespace": pod.metadata.namespace,
        "metadata.uid": pod.metadata.uid,
        "spec.nodeName": pod.spec.nodeName,
        "spec.serviceAccountName": pod.spec.serviceAccountName,
        "status.podIP": ",".join(facts.pod_ips[:1]),
        "status.podIPs": ",".join(facts.pod_ips),
        "status.hostIP": ",".join(facts.host_ips[:1]),
        "status.hostIPs": ",".join(facts.host_ips),
    }
    if path not in simple:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return simple[path] or ""


def _map(pod: Pod, path: str) -> dict[str, str]:
    found: dict[str, str] | None = pod.metadata.labels if path == "metadata.labels" else pod.metadata.annotations
    return found or {}


def format_map(values: Mapping[str, str]) -> str:
    quoted = {name: "".join(_ESCAPES.get(char, char) for char in value) for name, value in values.items()}
    return "\n".join(f'{name}="{quoted[name]}"' for name in sorted(quoted))


def resource_value(pod: Pod, selector: ResourceFieldSelector, own: Container | None, facts: PodFacts) -> str:
    """A request or limit, in units of the divisor, rounded up; a limit that is absent is the node's allocatable."""
    container = own
    if selector.containerName:
        container = next((one for one in all_containers(pod) if one.name == selector.containerName), None)
    if container is None:
        raise ConfigError(f"container {selector.containerName} not found")
    side, _, name = selector.resource.partition(".")
    stated: Mapping[str, str] = getattr(container.resources, side, None) or {}
    text = stated.get(name)
    if text is None:
        text = (getattr(container.resources, "limits", None) or {}).get(name) or facts.allocatable.get(name, "0")
        if side == "requests" and name not in (getattr(container.resources, "limits", None) or {}):
            text = "0"
    divisor = quantity.parse(selector.divisor) if selector.divisor else 0
    return str(int((quantity.parse(text) / (divisor or 1)).to_integral_value(rounding=ROUND_CEILING)))
