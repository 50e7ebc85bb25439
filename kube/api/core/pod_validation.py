"""The pod spec's rules: for pods and for every template of them.

kubernetes pkg/apis/core/validation/validation.go (ValidatePodSpec)
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names, quantity
from kube.api.status import FieldError, duplicate, forbidden, invalid, missing, required, unsupported
from kube.api.types import Container, PodSpec, Probe

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
OPERATORS = ("Equal", "Exists")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def pod_spec_errors(spec: PodSpec, path: str, *, claims: Iterable[str] = ()) -> Iterator[FieldError]:
    """Everything that is wrong with a pod spec. `claims`: volumes that its controller adds."""
    volumes = [volume.name for volume in spec.volumes or ()]
    yield from _names(volumes, f"{path}.volumes", names.label)
    if not spec.containers:
        yield required(f"{path}.containers")
    groups = (("containers", spec.containers), ("initContainers", spec.initContainers or ()))
    seen: set[str] = set()
    for field, containers in groups:
        for index, container in enumerate(containers or ()):
            at = f"{path}.{field}[{index}]"
            yield from container_errors(container, at, {*volumes, *claims}, init=field == "initContainers")
            if container.name in seen:
                yield duplicate(f"{at}.name", container.name)
            seen.add(container.name)
    yield from _choices(spec, path)
    yield from _tolerations(spec.tolerations or (), f"{path}.tolerations")
    if spec.terminationGracePeriodSeconds is not None and spec.terminationGracePeriodSeconds < 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", spec.terminationGracePeriodSeconds, AT_LEAST_ZERO)
    if spec.activeDeadlineSeconds is not None and spec.activeDeadlineSeconds < 1:
        yield invalid(f"{path}.activeDeadlineSeconds", spec.activeDeadlineSeconds, "must be between 1 and 2147483647, inclusive")
    if spec.hostname:
        for complaint in names.label(spec.hostname):
            yield invalid(f"{path}.hostname", spec.hostname, complaint)
    if spec.dnsPolicy == "None" and not (spec.dnsConfig and spec.dnsConfig.nameservers):
        yield required(f"{path}.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")


AT_LEAST_ZERO = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"


def container_errors(container: Container, path: str, volumes: set[str], *, init: bool) -> Iterator[FieldError]:
    if not container.name:
        yield required(f"{path}.name")
    else:
        for complaint in names.label(container.name):
            yield invalid(f"{path}.name", container.name, complaint)
    if not container.image:
        yield required(f"{path}.image")
    elif container.image.strip() != container.image:
        yield invalid(f"{path}.image", container.image, "must not have leading or trailing whitespace")
    if container.imagePullPolicy and container.imagePullPolicy not in PULL_POLICIES:
        yield unsupported(f"{path}.imagePullPolicy", container.imagePullPolicy, PULL_POLICIES)
    if init and container.restartPolicy not in (None, "Always"):
        yield unsupported(f"{path}.restartPolicy", container.restartPolicy, ("Always",))
    yield from _ports(container, path)
    yield from _environment(container, path)
    yield from _mounts(container, path, volumes)
    yield from resource_errors(container.resources, f"{path}.resources")
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = getattr(container, field)
        if probe is None:
            continue
        if init and container.restartPolicy != "Always":
            yield forbidden(f"{path}.{field}", "may not be set for init containers without restartPolicy=Always")
        else:
            yield from _probe(probe, f"{path}.{field}", once=field != "readinessProbe")


def resource_errors(resources: Any, path: str) -> Iterator[FieldError]:
    """Quantities (which the decoder has made sure of) are not negative; a request is no more than its limit."""
    if resources is None:
        return
    limits, requests = resources.limits or {}, resources.requests or {}
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if quantity.parse(amount) < 0:
                yield invalid(f"{path}.{side}[{name}]", amount, AT_LEAST_ZERO)
    for name, amount in requests.items():
        limit = limits.get(name)
        if limit is not None and quantity.parse(amount) > quantity.parse(limit):
            detail = f"must be less than or equal to {name} limit of {quantity.canonical(limit)}"
            yield invalid(f"{path}.requests", quantity.canonical(amount), detail)


def _names(found: Iterable[str], path: str, rule: Any) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, name in enumerate(found):
        at = f"{path}[{index}].name"
        if not name:
            yield required(at)
            continue
        for complaint in rule(name):
            yield invalid(at, name, complaint)
        if name in seen:
            yield duplicate(at, name)
        seen.add(name)


def _choices(spec: PodSpec, path: str) -> Iterator[FieldError]:
    if spec.restartPolicy not in RESTART_POLICIES:
        yield unsupported(f"{path}.restartPolicy", spec.restartPolicy or "", RESTART_POLICIES)
    if spec.dnsPolicy not in DNS_POLICIES:
        yield unsupported(f"{path}.dnsPolicy", spec.dnsPolicy or "", DNS_POLICIES)


def _tolerations(tolerations: Iterable[Any], path: str) -> Iterator[FieldError]:
    for index, one in enumerate(tolerations):
        at = f"{path}[{index}]"
        if one.key:
            for complaint in names.qualified(one.key):
                yield invalid(f"{at}.key", one.key, complaint)
        elif one.operator != "Exists":
            detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(f"{at}.operator", one.operator or "", detail)
        if one.operator not in (None, "", *OPERATORS):
            yield unsupported(f"{at}.operator", one.operator, OPERATORS)
        if one.operator == "Exists" and one.value:
            yield invalid(f"{at}.operator", one.value, "value must be empty when `operator` is 'Exists'")
        if one.effect and one.effect not in EFFECTS:
            yield unsupported(f"{at}.effect", one.effect, EFFECTS)
        if one.tolerationSeconds is not None and one.effect != "NoExecute":
            yield invalid(f"{at}.effect", one.effect or "", "effect must be 'NoExecute' when `tolerationSeconds` is set")


def _ports(container: Container, path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, port in enumerate(container.ports or ()):
        at = f"{path}.ports[{index}]"
        if port.name:
            for complaint in names.port_name(port.name):
                yield invalid(f"{at}.name", port.name, complaint)
            if port.name in seen:
                yield duplicate(f"{at}.name", port.name)
            seen.add(port.name)
        if not port.containerPort:
            yield required(f"{at}.containerPort")
        elif not 1 <= port.containerPort <= 65535:
            yield invalid(f"{at}.containerPort", port.containerPort, PORT_RANGE)
        if port.hostPort is not None and port.hostPort != 0 and not 1 <= port.hostPort <= 65535:
            yield invalid(f"{at}.hostPort", port.hostPort, PORT_RANGE)
        if port.protocol not in PROTOCOLS:
            yield unsupported(f"{at}.protocol", port.protocol or "", PROTOCOLS)


def _environment(container: Container, path: str) -> Iterator[FieldError]:
    for index, variable in enumerate(container.env or ()):
        at = f"{path}.env[{index}]"
        if not variable.name:
            yield required(f"{at}.name")
        else:
            for complaint in names.env_name(variable.name):
                yield invalid(f"{at}.name", variable.name, complaint)
        if variable.valueFrom is not None and variable.value:
            yield invalid(f"{at}.valueFrom", "", "may not be specified when `value` is not empty")


def _mounts(container: Container, path: str, volumes: set[str]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, mount in enumerate(container.volumeMounts or ()):
        at = f"{path}.volumeMounts[{index}]"
        if not mount.name:
            yield required(f"{at}.name")
        elif mount.name not in volumes:
            yield missing(f"{at}.name", mount.name)
        if not mount.mountPath:
            yield required(f"{at}.mountPath")
        elif mount.mountPath in seen:
            yield invalid(f"{at}.mountPath", mount.mountPath, "must be unique")
        seen.add(mount.mountPath)
        for field in ("subPath", "subPathExpr"):
            given = getattr(mount, field) or ""
            if given.startswith("/"):
                yield invalid(f"{at}.{field}", given, "must be a relative path")
            elif ".." in given.split("/"):
                yield invalid(f"{at}.{field}", given, "must not contain '..'")


def _probe(probe: Probe, path: str, *, once: bool) -> Iterator[FieldError]:
    handlers = [name for name in HANDLERS if getattr(probe, name, None) is not None]
    if not handlers:
        yield required(path, "must specify a handler type")
    if len(handlers) > 1:
        yield forbidden(f"{path}.{handlers[1]}", "may not specify more than 1 handler type")
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        value = getattr(probe, field)
        if value is not None and value < 0:
            yield invalid(f"{path}.{field}", value, AT_LEAST_ZERO)
    if once and probe.successThreshold not in (None, 1):
        yield invalid(f"{path}.successThreshold", probe.successThreshold, "must be 1")
