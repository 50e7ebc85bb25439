"""Pod events: what the kubelet tells about a pod for people to read; of the whole pod, or of one container of it.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ · reasons: upstream pkg/kubelet/events/event.go
"""

from typing import Protocol

from kube.api.types import Pod
from kube.client.events import EventRecorder
from kube.component.logging import get_logger

log = get_logger("kubelet.events")

NORMAL, WARNING = "Normal", "Warning"


class PodEvents(Protocol):
    def event(self, pod: Pod, type: str, reason: str, message: str, container: str = "") -> None:
        """Never blocks."""


class LoggedEvents:
    """For a kubelet without an API server."""

    def event(self, pod: Pod, type: str, reason: str, message: str, container: str = "") -> None:
        key = f"{pod.metadata.namespace}/{pod.metadata.name}"
        log.info("event", pod=key, container=container, type=type, reason=reason, text=message)


class RecordedEvents:
    """Events on the API server. A container's event points at its place in the pod's spec."""

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder

    def event(self, pod: Pod, type: str, reason: str, message: str, container: str = "") -> None:
        self._recorder.event(pod, type, reason, message, field_path=field_path(pod, container))


def field_path(pod: Pod, container: str) -> str:
    """`spec.containers{name}`; empty for the pod as a whole."""
    if not container:
        return ""
    for field in ("initContainers", "ephemeralContainers"):
        if any(one.name == container for one in getattr(pod.spec, field) or ()):
            return f"spec.{field}{{{container}}}"
    return f"spec.containers{{{container}}}"
