"""Environment: the variables of one container, from values, references, services, and each other. Pure.

Order as upstream: the services' variables, then envFrom in order, then env in order; a later one of the same name wins.
`$(NAME)` refers to variables before it, `$$` is a dollar sign, a reference that is not known stays as it is.
https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/ · pkg/kubelet/kubelet_pods.go
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from kube.api.types import ConfigMap, Container, EnvFromSource, EnvVar, Pod, Secret
from kubelet.container_error import ConfigError
from kubelet.downward import PodFacts, field_value, resource_value

Kind = Literal["ConfigMap", "Secret"]


class Reference(NamedTuple):
    kind: Kind
    name: str


Objects = Mapping[Reference, "ConfigMap | Secret | None"]  # None: looked for, and not there

_TOKEN = re.compile(r"\$\$|\$\(([^()]*)\)")


def references(container: Container) -> Iterator[Reference]:
    """The config maps and secrets that the container's variables name."""
    for source in container.envFrom or ():
        if source.configMapRef is not None:
            yield Reference("ConfigMap", source.configMapRef.name)
        if source.secretRef is not None:
            yield Reference("Secret", source.secretRef.name)
    for variable in container.env or ():
        if variable.valueFrom is None:
            continue
        if variable.valueFrom.configMapKeyRef is not None:
            yield Reference("ConfigMap", variable.valueFrom.configMapKeyRef.name)
        if variable.valueFrom.secretKeyRef is not None:
            yield Reference("Secret", variable.valueFrom.secretKeyRef.name)


def environment(pod: Pod, container: Container, objects: Objects, services: Mapping[str, str], facts: PodFacts) -> dict[str, str]:
    """Raises ConfigError where something that is not optional is missing."""
    result = dict(services)
    for source in container.envFrom or ():
        result.update(_all_of(pod, source, objects))
    known: dict[str, str] = dict(result)
    for variable in container.env or ():
        value = _value(pod, container, variable, objects, facts, known)
        if value is not None:
            result[variable.name] = known[variable.name] = value
    return result


def _all_of(pod: Pod, source: EnvFromSource, objects: Objects) -> dict[str, str]:
    reference = source.configMapRef or source.secretRef
    kind: Kind = "ConfigMap" if source.configMapRef is not None else "Secret"
    found = objects.get(Reference(kind, reference.name))
    if found is None:
        if reference.optional:
            return {}
        raise ConfigError(f'{kind.lower()} "{reference.name}" not found')
    return {(source.prefix or "") + name: value.decode(errors="replace") for name, value in content(found).items()}


def _value(
    pod: Pod, container: Container, variable: EnvVar, objects: Objects, facts: PodFacts, known: Mapping[str, str]
) -> str | None:
    """The variable's value; None leaves it out (an optional key that is missing)."""
    source = variable.valueFrom
    if source is None:
        return expand(variable.value or "", known)
    if source.fieldRef is not None:
        return field_value(pod, source.fieldRef.fieldPath, facts)
    if source.resourceFieldRef is not None:
        return resource_value(pod, source.resourceFieldRef, container, facts)
    selector = source.configMapKeyRef or source.secretKeyRef
    if selector is None:
        return ""
    kind: Kind = "ConfigMap" if source.configMapKeyRef is not None else "Secret"
    found = objects.get(Reference(kind, selector.name))
    if found is None:
        if selector.optional:
            return None
        raise ConfigError(f'{kind.lower()} "{selector.name}" not found')
    value = content(found).get(selector.key)
    if value is None:
        if selector.optional:
            return None
        raise ConfigError(f"couldn't find key {selector.key} in {kind} {pod.metadata.namespace}/{selector.name}")
    return value.decode(errors="replace")


def content(found: ConfigMap | Secret) -> dict[str, bytes]:
    """The keys of a config map or secret, as bytes."""
    if isinstance(found, Secret):
        return {name: b64decode(value) for name, value in (found.data or {}).items()}
    text = {name: value.encode() for name, value in (found.data or {}).items()}
    return text | {name: b64decode(value) for name, value in (found.binaryData or {}).items()}


def expand(text: str, known: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by its value, once; what is not known, or not closed, stays."""

    def replacement(match: re.Match[str]) -> str:
        if match.group(0) == "$$":
            return "$"
        return known.get(match.group(1), match.group(0))

    return _TOKEN.sub(replacement, text)


def expand_known(text: str, known: Mapping[str, str]) -> str:
    """As `expand`, for a path: every variable must be there and not be empty. Raises ConfigError."""
    named = [match.group(1) for match in _TOKEN.finditer(text) if match.group(0) != "$$"]
    missing = sorted({name for name in named if not known.get(name)})
    if missing:
        raise ConfigError(f"missing value for {', '.join(missing)}")
    return expand(text, known)
