"""Rules of containers: what all of them share, and what only main, init or ephemeral ones may have.

kubernetes pkg/apis/core/validation/validation.go (validateContainers, validateInitContainers, validateEphemeralContainers)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kube.api import names
from kube.api.core.pod_validation.environment import environment_errors, environment_from_errors
from kube.api.core.pod_validation.mounts import device_errors, mount_errors
from kube.api.core.pod_validation.probes import PROBES, probes_errors
from kube.api.core.pod_validation.resources import resize_policy_errors, resource_errors
from kube.api.core.pod_validation.security import container_security_errors
from kube.api.status import FieldError, duplicate, forbidden, invalid, missing, required, too_many, unsupported
from kube.api.validation import PROTOCOLS, named, one_of, port
from kube.api.views import tree_of

MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
RESTART_POLICIES = ("Always", "Never", "OnFailure")
RESTART_OPERATORS = ("In", "NotIn")
MAX_RESTART_RULES = 20
NOT_EPHEMERAL = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"


@dataclass(frozen=True)
class PodContext:
    """What the rules of a container must know of its pod."""

    volumes: dict[str, Any]  # the good ones, by name; None for a claim that a controller adds
    claims: tuple[str, ...]
    grace_seconds: int | None
    restart_policy: str | None
    host_users: bool
    of_pod: bool  # a pod's, not a template's
    names: set[str] = field(default_factory=set)  # of the containers seen so far


def containers_errors(containers: Iterable[Any], path: str, pod: PodContext) -> Iterator[FieldError]:
    listed = list(containers)
    if not listed:
        yield required(path)
    for index, container in enumerate(listed):
        at = f"{path}[{index}]"
        yield from _container(container, at, pod)
        if container.name in pod.names:
            yield duplicate(f"{at}.name", container.name)
        pod.names.add(container.name)
        yield from probes_errors(container, pod.grace_seconds, at)
        yield from _restart_policy(container, at)
    yield from _host_ports(listed, path)


def init_containers_errors(containers: Iterable[Any], path: str, pod: PodContext) -> Iterator[FieldError]:
    for index, container in enumerate(containers):
        at = f"{path}[{index}]"
        yield from _container(container, at, pod)
        yield from _restart_policy(container, at)
        if container.name in pod.names:
            yield duplicate(f"{at}.name", container.name)
        elif container.name:
            pod.names.add(container.name)
        yield from _host_ports([container], path)
        if container.restartPolicy == "Always":
            yield from probes_errors(container, pod.grace_seconds, at)
            continue
        for name in ("lifecycle", *PROBES):
            if getattr(container, name) is not None:
                yield forbidden(f"{at}.{name}", ONLY_SIDECARS)


def ephemeral_containers_errors(containers: Iterable[Any], path: str, pod: PodContext) -> Iterator[FieldError]:
    lasting = set(pod.names)
    for index, container in enumerate(containers):
        at = f"{path}[{index}]"
        yield from _container(container, at, pod)
        yield from image_errors(container, at)
        if container.name in pod.names:
            yield duplicate(f"{at}.name", container.name)
        pod.names.add(container.name)
        if container.targetContainerName and container.targetContainerName not in lasting:
            yield missing(f"{at}.targetContainerName", container.targetContainerName)
        for name in NOT_EPHEMERAL:
            if tree_of(getattr(container, name, None)):
                yield forbidden(f"{at}.{name}", "cannot be set for an Ephemeral Container")
        for place, mount in enumerate(container.volumeMounts or ()):
            for name in ("subPath", "subPathExpr"):
                if getattr(mount, name):
                    yield forbidden(f"{at}.volumeMounts[{place}].{name}", "cannot be set for an Ephemeral Container")


def image_errors(container: Any, path: str) -> Iterator[FieldError]:
    """Of a pod's container; a template may hold an image to be filled in."""
    image = container.image or ""
    if image.strip() != image:
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")


def _container(container: Any, path: str, pod: PodContext) -> Iterator[FieldError]:
    yield from named(f"{path}.name", container.name, names.label)
    if not container.image:
        yield required(f"{path}.image")
    policy = container.terminationMessagePolicy
    if not policy:
        yield required(f"{path}.terminationMessagePolicy")
    elif policy not in MESSAGE_POLICIES:
        yield unsupported(f"{path}.terminationMessagePolicy", policy, MESSAGE_POLICIES)
    yield from _ports(container.ports or (), f"{path}.ports")
    yield from environment_errors(container.env or (), f"{path}.env")
    yield from environment_from_errors(container.envFrom or (), f"{path}.envFrom")
    yield from mount_errors(container, pod.volumes, f"{path}.volumeMounts")
    yield from device_errors(container, pod.volumes, f"{path}.volumeDevices")
    yield from one_of(f"{path}.imagePullPolicy", container.imagePullPolicy, PULL_POLICIES)
    yield from resource_errors(container.resources, f"{path}.resources", pod.claims)
    yield from resize_policy_errors(container.resizePolicy or (), f"{path}.resizePolicy", pod.restart_policy)
    yield from container_security_errors(container.securityContext, f"{path}.securityContext", host_users=pod.host_users)


def _ports(ports: Iterable[Any], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, one in enumerate(ports):
        at = f"{path}[{index}]"
        if one.name:
            complaints = names.port_name(one.name)
            for complaint in complaints:
                yield invalid(f"{at}.name", one.name, complaint)
            if not complaints and one.name in seen:
                yield duplicate(f"{at}.name", one.name)
            seen.add(one.name)
        if not one.containerPort:
            yield required(f"{at}.containerPort")
        else:
            yield from port(f"{at}.containerPort", one.containerPort)
        yield from port(f"{at}.hostPort", one.hostPort or None)
        yield from one_of(f"{at}.protocol", one.protocol, PROTOCOLS)


def _host_ports(containers: Iterable[Any], path: str) -> Iterator[FieldError]:
    """Two containers of a pod cannot have one port of the host."""
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for place, one in enumerate(container.ports or ()):
            if not one.hostPort:
                continue
            text = f"{one.protocol}/{one.hostIP or ''}/{one.hostPort}"
            if text in seen:
                yield duplicate(f"{path}[{index}].ports[{place}].hostPort", text)
            seen.add(text)


def _restart_policy(container: Any, path: str) -> Iterator[FieldError]:
    """A container's own policy, and the exit codes after which it is restarted whatever that says (KEP-5307)."""
    policy, rules = container.restartPolicy, getattr(container, "restartPolicyRules", None) or ()
    if policy is None:
        if rules:
            yield required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")
        return
    if policy not in RESTART_POLICIES:
        yield unsupported(f"{path}.restartPolicy", policy, RESTART_POLICIES)
    if len(rules) > MAX_RESTART_RULES:
        yield too_many(f"{path}.restartPolicyRules", len(rules), MAX_RESTART_RULES)
    for index, rule in enumerate(rules):
        at = f"{path}.restartPolicyRules[{index}]"
        if rule.action != "Restart":
            yield unsupported(f"{at}.action", rule.action or "", ("Restart",))
        if rule.exitCodes is None:
            yield required(f"{at}.exitCodes", "must be specified")
        elif rule.exitCodes.operator not in RESTART_OPERATORS:
            yield unsupported(f"{at}.exitCodes.operator", rule.exitCodes.operator or "", RESTART_OPERATORS)


def host_network_errors(spec: Any, path: str, *, of_pod: bool) -> Iterator[FieldError]:
    """With the host's network a container's ports are the host's; in a template they may be left to be filled in."""
    for index, container in enumerate((spec.containers or ()) if spec.hostNetwork else ()):
        for place, one in enumerate(container.ports or ()):
            host = one.hostPort or 0
            if (of_pod or host) and host != one.containerPort:
                text = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(f"{path}.containers[{index}].ports[{place}].hostPort", host, text)
