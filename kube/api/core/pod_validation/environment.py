"""Rules of a container's environment, and of what a pod can tell its containers about itself (the downward API).

kubernetes pkg/apis/core/validation/validation.go (ValidateEnv, ValidateEnvFrom) · KEP-4369 (names of variables)
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names, quantity
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.validation import complain, named

IN_ENVIRONMENT = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
IN_FILES = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
KNOWN_PATHS = {*IN_ENVIRONMENT, *IN_FILES, "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.hostname"}
RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_BYTES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
# What a resource may be divided by, and upstream's words for it.
DIVISORS = {
    "cpu": (("1m", "1"), "1m and 1", "cpu"),
    "memory": (_BYTES, ", ".join(_BYTES), "memory"),
    "ephemeral-storage": (_BYTES, ", ".join(_BYTES), "local ephemeral storage"),
    "hugepages": (_BYTES, ", ".join(_BYTES), "hugepages"),
}
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def environment_errors(variables: Iterable[Any], path: str, volumes: Iterable[str] = ()) -> Iterator[FieldError]:
    for index, variable in enumerate(variables):
        at = f"{path}[{index}]"
        if not variable.name:
            yield required(f"{at}.name")
        else:
            yield from complain(f"{at}.name", variable.name, names.env_name)
        if variable.valueFrom is not None:
            yield from _source(variable, f"{at}.valueFrom")


def _source(variable: Any, path: str) -> Iterator[FieldError]:
    source = variable.valueFrom
    found = [name for name in SOURCES if getattr(source, name, None) is not None]
    if source.fieldRef is not None:
        yield from field_errors(source.fieldRef, IN_ENVIRONMENT, f"{path}.fieldRef")
    if source.resourceFieldRef is not None:
        yield from resource_field_errors(source.resourceFieldRef, f"{path}.resourceFieldRef", of_volume=False)
    for name in ("configMapKeyRef", "secretKeyRef"):
        reference = getattr(source, name)
        if reference is not None:
            yield from complain(f"{path}.{name}.name", reference.name or "", names.subdomain)
            yield from named(f"{path}.{name}.key", reference.key, names.config_key)
    if not found:
        text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield invalid(path, "", text)
    elif variable.value:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(found) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def environment_from_errors(sources: Iterable[Any], path: str) -> Iterator[FieldError]:
    for index, source in enumerate(sources):
        at = f"{path}[{index}]"
        if source.prefix:
            yield from complain(f"{at}.prefix", source.prefix, names.env_name)
        found = [name for name in ("configMapRef", "secretRef") if getattr(source, name) is not None]
        for name in found:
            yield from named(f"{at}.{name}.name", getattr(source, name).name, names.subdomain_prefix)
        if not found:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


def field_errors(reference: Any, allowed: tuple[str, ...], path: str) -> Iterator[FieldError]:
    """A field of the pod, `metadata.labels['a']` included."""
    if not reference.apiVersion:
        yield required(f"{path}.apiVersion")
        return
    if not reference.fieldPath:
        yield required(f"{path}.fieldPath")
        return
    field, subscript = _split(reference.fieldPath)
    if complaint := _conversion_complaint(reference.apiVersion, field, subscript):
        yield invalid(f"{path}.fieldPath", reference.fieldPath, f"error converting fieldPath: {complaint}")
    elif subscript is None:
        if field not in allowed:
            yield unsupported(f"{path}.fieldPath", field, allowed)
    else:
        key = subscript.lower() if field.endswith("annotations") else subscript
        yield from complain(path, key, names.qualified)


def _conversion_complaint(version: str, field: str, subscript: str | None) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscript is not None:
        with_one = field in ("metadata.annotations", "metadata.labels")
        return "" if with_one else f"field label does not support subscript: {field}['{subscript}']"
    return "" if field in KNOWN_PATHS else f"field label not supported: {field}"


def _split(path: str) -> tuple[str, str | None]:
    found = re.fullmatch(r"(.*)\['(.*)'\]", path)
    return (found[1], found[2]) if found else (path, None)


def resource_field_errors(reference: Any, path: str, *, of_volume: bool) -> Iterator[FieldError]:
    """An amount that a container asks for or may have."""
    name = reference.resource or ""
    if of_volume and not reference.containerName:
        yield required(f"{path}.containerName")
    elif not name:
        yield required(f"{path}.resource")
    elif name not in RESOURCES and not name.startswith(HUGE_PAGES):
        yield unsupported(f"{path}.resource", name, RESOURCES)
    divisor = quantity.canonical(reference.divisor or "0")
    kind = "hugepages" if name.startswith(HUGE_PAGES) else name.partition(".")[2]
    if divisor == "0" or kind not in DIVISORS or "." not in name:
        return
    good, listed, resource = DIVISORS[kind]
    if divisor not in good:
        yield invalid(f"{path}.divisor", name, f"only divisor's values {listed} are supported with the {resource} resource")
