"""Container start: image, configuration, creation, start, postStart; each step's failure is a reason to wait.

At most `PARALLEL_STARTS` run at once on a node: past that the engine only gets slower.
Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer.
"""

import asyncio

from kube.api.types import Container, Pod
from kubelet import security
from kubelet.container_error import CreateError, PostStartError, RunError, StartError
from kubelet.container_spec import Surroundings, container_spec
from kubelet.hooks import HookFailed, Hooks
from kubelet.images import Images
from kubelet.metrics import FAILED_CONTAINERS, STARTED_CONTAINERS
from kubelet.node_facts import NodeFacts
from kubelet.pod_events import NORMAL, WARNING, PodEvents
from kubelet.pod_files import PodFiles
from kubelet.pod_state import is_ephemeral, is_init
from kubelet.runtime.runtime import ContainerSpec, Runtime, RuntimeFailure, RuntimeUnavailable

PARALLEL_STARTS = 4


class ContainerStart:
    def __init__(self, runtime: Runtime, images: Images, hooks: Hooks, events: PodEvents, node: NodeFacts) -> None:
        self._runtime = runtime
        self._images = images
        self._hooks = hooks
        self._events = events
        self._node = node
        self.slots = asyncio.Semaphore(PARALLEL_STARTS)
        self.in_post_start: set[str] = set()  # ids of containers whose hook runs

    async def start(self, pod: Pod, container: Container, attempt: int, around: Surroundings, files: PodFiles) -> str:
        """Start an attempt of a container; returns its id. Raises StartError, or RuntimeUnavailable."""
        try:
            image = await self._images.ensure(pod, container)
            security.check_non_root(pod, container, image.user)
            spec = container_spec(pod, container, attempt, around, self._node, files, image.digest_for(container.image))
            files.make_termination_message(container.name, attempt)
            self._tell_limits(pod, spec)
            STARTED_CONTAINERS.labels(container_type(pod, container)).inc()
            async with self.slots:
                container_id = await self._create_and_start(pod, container, spec)
        except StartError as error:
            FAILED_CONTAINERS.labels(container_type(pod, container), error.reason).inc()
            self._events.event(pod, WARNING, "Failed", f"Error: {_event_text(error)}", container.name)
            raise
        await self._post_start(pod, container, container_id, around)
        return container_id

    async def _create_and_start(self, pod: Pod, container: Container, spec: ContainerSpec) -> str:
        try:
            container_id = await self._runtime.create_container(spec)
        except RuntimeUnavailable:
            raise
        except RuntimeFailure as error:
            raise CreateError(str(error)) from error
        self._events.event(pod, NORMAL, "Created", f"Created container: {container.name}", container.name)
        try:
            await self._runtime.start(container_id)
        except RuntimeUnavailable:
            raise
        except RuntimeFailure as error:
            raise RunError(f'failed to start container "{container_id[:12]}": Error response from daemon: {error}') from error
        self._events.event(pod, NORMAL, "Started", f"Started container {container.name}", container.name)
        return container_id

    def _tell_limits(self, pod: Pod, spec: ContainerSpec) -> None:
        """Where the machine itself is bounded, a privileged container gets less than it asks for."""
        missing = self._node.missing_capabilities
        if missing and (spec.security.privileged or "ALL" in spec.security.cap_add):
            message = f"This node lacks the capabilities {', '.join(missing)}: container {spec.name} gets all others"
            self._events.event(pod, WARNING, "CapabilitiesLimited", message, spec.name)

    async def _post_start(self, pod: Pod, container: Container, container_id: str, around: Surroundings) -> None:
        """The hook runs beside the entrypoint, and the container counts as running after it; if it fails, it is killed."""
        handler = getattr(container.lifecycle, "postStart", None)
        if handler is None:
            return
        self.in_post_start.add(container_id)
        try:
            await self._hooks.run(pod, container, container_id, "".join(around.facts.pod_ips[:1]), handler)
        except HookFailed as error:
            self._events.event(pod, WARNING, "FailedPostStartHook", f"PostStartHook failed: {error}", container.name)
            self._events.event(pod, NORMAL, "Killing", "FailedPostStartHook", container.name)
            await self._runtime.signal(container_id, "SIGKILL")
            raise PostStartError(f"PostStartHook failed: {error}") from error
        finally:
            self.in_post_start.discard(container_id)


def container_type(pod: Pod, container: Container) -> str:
    """As metrics name it."""
    if is_ephemeral(pod, container):
        return "ephemeral_container"
    return "init_container" if is_init(pod, container) else "container"


def _event_text(error: StartError) -> str:
    """Image trouble is named by its reason, the rest by what went wrong."""
    return error.reason if error.reason.startswith(("ErrImage", "ImagePull", "InvalidImage")) else error.message
