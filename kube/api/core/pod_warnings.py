"""What is right about a pod, but old or surprising: told in Warning headers.

kubernetes pkg/api/pod/warnings.go, pkg/api/node/util.go · KEP-1693
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kube.api import names, quantity
from kube.api.core.pod_validation.windows import containers_of
from kube.api.status import go_quoted

OLD_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
OLD_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
SECCOMP = "seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
NO_SELECTOR = "a null labelSelector results in matching no pod"
BYTES = ("memory", "ephemeral-storage")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def pod_warnings(spec: Any, metadata: Any, path: str = "") -> Iterator[str]:
    """Of a pod, or of a template at `path` (`spec.template.`)."""
    at = f"{path}spec"
    for key in spec.nodeSelector or {}:
        if key in OLD_LABELS:
            yield f"{at}.nodeSelector[{key}]: {OLD_LABELS[key]}"
    yield from _affinity(spec.affinity, f"{at}.affinity")
    for index, one in enumerate(spec.topologySpreadConstraints or ()):
        where = f"{at}.topologySpreadConstraints[{index}]"
        if one.topologyKey in OLD_LABELS:
            yield f"{where}.topologyKey: {one.topologyKey} is {OLD_LABELS[one.topologyKey]}"
        if one.labelSelector is None:
            yield f"{where}.labelSelector: {NO_SELECTOR}"
    yield from _annotations((metadata.annotations if metadata else None) or {}, f"{path}metadata.annotations")
    for index, secret in enumerate(spec.imagePullSecrets or ()):
        if not secret.name:
            yield f'{at}.imagePullSecrets[{index}].name: invalid empty name ""'
    for index, volume in enumerate(spec.volumes or ()):
        for field, text in OLD_VOLUMES.items():
            if getattr(volume, field) is not None:
                yield f"{at}.volumes[{index}].{field}: {text}"
    for name in ("memory", "ephemeral-storage"):
        yield from _fraction((spec.overhead or {}).get(name), f"{at}.overhead[{name}]")
    for container, where in containers_of(spec, at):
        yield from _container(container, where)
    if spec.terminationGracePeriodSeconds is not None and spec.terminationGracePeriodSeconds < 0:
        yield f"{at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"


def template_warnings(new: Any, old: Any) -> Iterator[str]:
    """Of what makes pods, where its template is new."""
    template = new.spec.template
    if template is not None and (old is None or template != old.spec.template):
        yield from pod_warnings(template.spec, template.metadata, "spec.template.")


def workload_warnings(new: Any, old: Any) -> Iterator[str]:
    """Of what names its pods after itself."""
    if old is None:
        yield from name_warnings(new.metadata.name or "")
    yield from template_warnings(new, old)


def name_warnings(name: str, whose: str = "Pod names and hostnames") -> Iterator[str]:
    """A name that is no label cannot become a host name as it is."""
    complaints = names.label(name)
    if complaints:
        text = "which can result in surprising behavior; a DNS label is recommended"
        yield f"metadata.name: this is used in {whose}, {text}: [{' '.join(complaints)}]"


def volume_source_warnings(spec: Any, path: str) -> Iterator[str]:
    """Of a PersistentVolume."""
    for field, text in OLD_VOLUMES.items():
        if getattr(spec, field, None) is not None:
            yield f"{path}.{field}: {text}"


def _affinity(affinity: Any, path: str) -> Iterator[str]:
    node = affinity.nodeAffinity if affinity is not None else None
    required = getattr(node, REQUIRED, None)
    for index, term in enumerate((required.nodeSelectorTerms if required else None) or ()):
        for place, one in enumerate(term.matchExpressions or ()):
            if one.key in OLD_LABELS:
                where = f"{path}.nodeAffinity.{REQUIRED}.nodeSelectorTerms[{index}].matchExpressions[{place}].key"
                yield f"{where}: {one.key} is {OLD_LABELS[one.key]}"
    for field in ("podAffinity", "podAntiAffinity"):
        pods = getattr(affinity, field, None)
        for index, term in enumerate(getattr(pods, REQUIRED, None) or ()):
            if term.labelSelector is None:
                yield f"{path}.{field}.{REQUIRED}[{index}].labelSelector: {NO_SELECTOR}"


def _annotations(annotations: Mapping[str, str], path: str) -> Iterator[str]:
    for key in annotations:
        if key.startswith((SECCOMP, f"container.{SECCOMP}")):
            yield f'{path}[{key}]: non-functional in v1.27+; use the "seccompProfile" field instead'
        if key.startswith(APP_ARMOR):
            yield f'{path}[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'


def _container(container: Any, path: str) -> Iterator[str]:
    for side in ("limits", "requests"):
        amounts = (getattr(container.resources, side) if container.resources else None) or {}
        for name in BYTES:
            yield from _fraction(amounts.get(name), f"{path}.resources.{side}[{name}]")
    seen: dict[str, str] = {}
    for index, variable in enumerate(container.env or ()):
        if variable.name in seen and f"$({variable.name})" not in (variable.value or ""):
            text = f'hides previous definition of "{variable.name}", which may be dropped when using apply'
            yield f"{path}.env[{index}]: {text}"
        seen[variable.name] = variable.value or ""
    ports: dict[tuple[object, ...], int] = {}
    for index, port in enumerate(container.ports or ()):
        key = (port.containerPort, port.protocol, port.hostIP or "", port.hostPort or 0)
        if key in ports:
            yield f"{path}.ports[{index}]: duplicate port definition with {path}.ports[{ports[key]}]"
        ports.setdefault(key, index)


def _fraction(amount: str | None, path: str) -> Iterator[str]:
    if amount is not None and quantity.parse(amount) != quantity.parse(amount).to_integral_value():
        yield f"{path}: fractional byte value {go_quoted(quantity.canonical(amount))} is invalid, must be an integer"
