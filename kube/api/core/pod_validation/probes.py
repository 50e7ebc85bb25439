"""Rules of probes and of lifecycle hooks: what is run, and how often.

kubernetes pkg/apis/core/validation/validation.go (validateProbe, validateHandler, validateLifecycle)
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.validation import AT_LEAST_ONE, complain, not_negative, port_or_name

SCHEMES = ("HTTP", "HTTPS")
OF_PROBES = ("exec", "httpGet", "tcpSocket", "grpc")
OF_HOOKS = ("exec", "httpGet", "tcpSocket", "sleep")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def probes_errors(container: Any, grace_seconds: int | None, path: str) -> Iterator[FieldError]:
    """A container's hooks and probes."""
    if container.lifecycle is not None:
        yield from _lifecycle(container.lifecycle, grace_seconds, f"{path}.lifecycle")
    for field in PROBES:
        probe = getattr(container, field)
        if probe is None:
            continue
        at = f"{path}.{field}"
        yield from _probe(probe, at)
        if field == "readinessProbe":
            if probe.terminationGracePeriodSeconds is not None:
                text = "must not be set for readinessProbes"
                yield invalid(f"{at}.terminationGracePeriodSeconds", probe.terminationGracePeriodSeconds, text)
        elif probe.successThreshold != 1:
            yield invalid(f"{at}.successThreshold", probe.successThreshold or 0, "must be 1")


def _probe(probe: Any, path: str) -> Iterator[FieldError]:
    yield from _handler(probe, OF_PROBES, None, path)
    for field in COUNTS:
        yield from not_negative(f"{path}.{field}", getattr(probe, field))
    seconds = probe.terminationGracePeriodSeconds
    if seconds is not None and seconds <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", seconds, AT_LEAST_ONE)


def _lifecycle(lifecycle: Any, grace_seconds: int | None, path: str) -> Iterator[FieldError]:
    for field in ("postStart", "preStop"):
        hook = getattr(lifecycle, field)
        if hook is not None:
            yield from _handler(hook, OF_HOOKS, grace_seconds, f"{path}.{field}")


def _handler(holder: Any, kinds: tuple[str, ...], grace_seconds: int | None, path: str) -> Iterator[FieldError]:
    found = [kind for kind in kinds if getattr(holder, kind, None) is not None]
    for place, kind in enumerate(found):
        if place:
            yield forbidden(f"{path}.{kind}", "may not specify more than 1 handler type")
        else:
            yield from _action(kind, getattr(holder, kind), grace_seconds, f"{path}.{kind}")
    if not found:
        yield required(path, "must specify a handler type")


def _action(kind: str, action: Any, grace_seconds: int | None, path: str) -> Iterator[FieldError]:
    match kind:
        case "exec":
            if not action.command:
                yield required(f"{path}.command")
        case "httpGet":
            yield from _http(action, path)
        case "tcpSocket" | "grpc":
            yield from port_or_name(f"{path}.port", action.port)
        case "sleep":
            if grace_seconds is not None and not 0 <= (action.seconds or 0) <= grace_seconds:
                text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
                yield invalid(path, action.seconds, text)


def _http(get: Any, path: str) -> Iterator[FieldError]:
    if not get.path:
        yield required(f"{path}.path")
    yield from port_or_name(f"{path}.port", get.port)
    if get.scheme not in SCHEMES:
        yield unsupported(f"{path}.scheme", get.scheme or "", SCHEMES)
    for header in get.httpHeaders or ():
        yield from complain(f"{path}.httpHeaders", header.name or "", names.http_header)
