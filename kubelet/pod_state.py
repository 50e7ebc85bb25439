"""Pod state: what the kubelet sees of one pod at one moment, and the plain questions that plan and status ask of it.

All pure. A container's *newest* record is its highest attempt; earlier ones are its past. Init containers count only where they
ran in the present sandbox: a new sandbox begins from the start.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kube.api.types import Container, Pod
from kubelet.runtime.runtime import Limits, RuntimeContainer

MIRROR = "kubernetes.io/config.mirror"
SOURCE = "kubernetes.io/config.source"
HASH = "kubernetes.io/config.hash"
CONTAINER_HASH = "annotation.io.kubernetes.container.hash"
IMAGE_DIGEST = "annotation.io.kubernetes.container.imageDigest"  # ours: the registry's name of what it was started from
DEFAULT_GRACE_SECONDS = 30
EVICTED, TERMINATED = "Evicted", "Terminated"  # why a node ends a pod: it runs short, or is shut down


@dataclass(frozen=True)
class Health:
    """What the probes say of one running container (by its id)."""

    started: bool = True
    ready: bool = True
    must_restart: str = ""  # "liveness" or "startup": the probe that gave up on it
    grace_seconds: int | None = None  # the probe's own terminationGracePeriodSeconds


@dataclass(frozen=True)
class Waiting:
    """Why a container does not run: the reason and message of its waiting state."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class Ending:
    """The pod must end, and never comes back: deleted, evicted, past its deadline, or all its work done."""

    deadline: datetime  # when what still runs is killed
    reason: str = ""  # status.reason: DeadlineExceeded, Evicted; none for a deletion
    message: str = ""
    failed: bool = False  # the phase is Failed, whatever the exit codes say


@dataclass(frozen=True)
class Observed:
    """One look at a pod: the engine's records, and what this kubelet remembers of its own attempts."""

    sandbox: RuntimeContainer | None = None  # the newest one, running or not
    containers: tuple[RuntimeContainer, ...] = ()  # the newest attempt first; no sandboxes
    past_sandboxes: tuple[RuntimeContainer, ...] = ()  # those before the newest
    dead_kept: int = 1  # ended records of one container that stay, beside its newest
    ip: str = ""
    health: Mapping[str, Health] = field(default_factory=dict)  # by container id
    waiting: Mapping[str, Waiting] = field(default_factory=dict)  # by container name
    retry_at: Mapping[str, datetime] = field(default_factory=dict)  # by container name; "" is the sandbox
    stopping: Mapping[str, datetime] = field(default_factory=dict)  # container id -> when it will be killed
    ending: Ending | None = None
    volumes_ready: bool = True
    in_post_start: frozenset[str] = frozenset()  # ids of containers whose hook runs: they are not told as running yet
    applied: Mapping[str, Limits] = field(default_factory=dict)  # container id -> limits that were given while it ran

    @property
    def sandbox_runs(self) -> bool:
        return self.sandbox is not None and self.sandbox.running

    def newest(self, name: str) -> RuntimeContainer | None:
        return next((one for one in self.containers if one.name == name), None)

    def before(self, name: str) -> RuntimeContainer | None:
        """The attempt before the newest, if its record is still there."""
        records = [one for one in self.containers if one.name == name]
        return records[1] if len(records) > 1 else None

    def running(self) -> list[RuntimeContainer]:
        return [one for one in self.containers if one.running]

    def health_of(self, record: RuntimeContainer) -> Health:
        return self.health.get(record.id) or Health(started=False, ready=False)


def is_init(pod: Pod, container: Container) -> bool:
    return any(one.name == container.name for one in pod.spec.initContainers or ())


def is_sidecar(container: Container) -> bool:
    """Of an init container: it is started and kept running (KEP-753)."""
    return bool(container.restartPolicy == "Always")


def is_ephemeral(pod: Pod, container: Container) -> bool:
    """A container that was added to the pod while it ran: started once, never again (KEP-277)."""
    return any(one.name == container.name for one in pod.spec.ephemeralContainers or ())


def is_static(pod: Pod) -> bool:
    """Whether the pod came from a file or URL of this node, not from the API server."""
    source: str = (pod.metadata.annotations or {}).get(SOURCE, "api")
    return source != "api"


def is_mirror(pod: Pod) -> bool:
    return MIRROR in (pod.metadata.annotations or {})


def all_containers(pod: Pod) -> list[Container]:
    """Those that are the pod's own work; what is added for a look at it does not count."""
    return [*(pod.spec.initContainers or ()), *pod.spec.containers]


def every_container(pod: Pod) -> list[Container]:
    """All that may run in the pod, ephemeral ones too."""
    return [*all_containers(pod), *ephemeral_containers(pod)]


def ephemeral_containers(pod: Pod) -> list[Container]:
    """They have what a container has, but for what they may not use."""
    found: list[Container] = [*(pod.spec.ephemeralContainers or ())]
    return found


def sidecars(pod: Pod) -> list[Container]:
    return [one for one in pod.spec.initContainers or () if is_sidecar(one)]


def grace_seconds(pod: Pod) -> int:
    grace = pod.spec.terminationGracePeriodSeconds
    return DEFAULT_GRACE_SECONDS if grace is None else max(1, grace)


def ended_in_this_sandbox(observed: Observed, name: str) -> RuntimeContainer | None:
    """The newest record of an init container, if it ended in the present sandbox."""
    record = observed.newest(name)
    if record is None or record.state != "exited" or observed.sandbox is None:
        return None
    return record if record.sandbox_id == observed.sandbox.id else None


def initialized(pod: Pod, observed: Observed) -> bool:
    """Every plain init container has ended well, every sidecar has started; or the pod's own containers have begun."""
    if observed.sandbox is not None and any(
        (record := observed.newest(one.name)) is not None and record.sandbox_id == observed.sandbox.id
        for one in pod.spec.containers
    ):
        return True
    for container in pod.spec.initContainers or ():
        if is_sidecar(container):
            record = observed.newest(container.name)
            if record is None or not record.running or not observed.health_of(record).started:
                return False
        else:
            ended = ended_in_this_sandbox(observed, container.name)
            if ended is None or ended.exit_code != 0:
                return False
    return True


def restarts(pod: Pod, container: Container, record: RuntimeContainer) -> bool:
    """Whether one of the pod's own containers that ended so is started again."""
    return record.state == "created" or restarts_after(pod, container, record.exit_code)


def restarts_after(pod: Pod, container: Container, exit_code: int) -> bool:
    """The first rule that names the exit code decides; else the container's own policy, else the pod's (KEP-5307).

    An init container without a policy of its own that succeeded is done, whatever the pod's policy.
    """
    for rule in container.restartPolicyRules or ():
        codes = rule.exitCodes
        if codes is not None and (exit_code in (codes.values or ())) == (codes.operator == "In"):
            return True  # Restart is the only action that there is
    policy = container.restartPolicy or pod.spec.restartPolicy or "Always"
    if is_init(pod, container) and exit_code == 0 and not is_sidecar(container):
        return False
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def initialization_failed(pod: Pod, observed: Observed) -> bool:
    """An init container failed, and is not to be tried again."""
    plain = [one for one in pod.spec.initContainers or () if not is_sidecar(one)]
    ended = [(one, ended_in_this_sandbox(observed, one.name)) for one in plain]
    return any(record is not None and record.exit_code != 0 and not restarts(pod, one, record) for one, record in ended)


def finished(pod: Pod, observed: Observed) -> bool:
    """All the pod's work is done, well or not: nothing of it will be started again. Sidecars do not count."""
    if initialization_failed(pod, observed):
        return True
    records = [(one, observed.newest(one.name)) for one in pod.spec.containers]
    return all(record is not None and record.state == "exited" and not restarts(pod, one, record) for one, record in records)
