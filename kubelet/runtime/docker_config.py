"""Docker's words for sandboxes and containers: names, labels, and the bodies of the engine's create calls. Pure.

Names and labels are those of upstream's dockershim, which tutorials and tools know: `k8s_<container>_<pod>_<namespace>_<uid>_
<attempt>`, pause containers `k8s_POD_...`.
https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerCreate
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kubelet.runtime.capabilities import emulated_privileges
from kubelet.runtime.runtime import ContainerSpec, Limits, LogPolicy, Mount, PodIdentity, RuntimeContainer, SandboxSpec, Security

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
DOCKER_TYPE = "io.kubernetes.docker.type"
SANDBOX_ID = "io.kubernetes.sandbox.id"
RESTART_COUNT = "annotation.io.kubernetes.container.restartCount"
SANDBOX_NAME = "POD"

SANDBOX_LOG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}}  # it says nothing
NEVER = "0001-01-01T00:00:00Z"  # Go's zero time
QUOTA_PERIOD = 100_000  # microseconds: the scheduler's period for CPU quotas
SANDBOX_CPU_SHARES = 2  # the kernel's least: a sandbox sleeps


def container_name(pod: PodIdentity, name: str, attempt: int) -> str:
    return f"k8s_{name}_{pod.name}_{pod.namespace}_{pod.uid}_{attempt}"


def sandbox_body(spec: SandboxSpec) -> dict[str, Any]:
    """No network of the engine's: its set-up hook costs 0.1 s, and the pod network is the kubelet's."""
    host: dict[str, Any] = {
        "NetworkMode": "host" if spec.host_network else "none",
        "CgroupParent": spec.cgroup_parent,
        "CpuShares": SANDBOX_CPU_SHARES,
        "LogConfig": SANDBOX_LOG,
        "SecurityOpt": ["no-new-privileges"],
    }
    if spec.host_pid:
        host["PidMode"] = "host"
    # "shareable" lets the pod's containers join this one's /dev/shm and message queues.
    host["IpcMode"] = "host" if spec.host_ipc else "shareable"
    if spec.handler:
        host["Runtime"] = spec.handler
    if spec.sysctls:
        host["Sysctls"] = dict(spec.sysctls)
    body: dict[str, Any] = {
        "Image": spec.image,
        "Labels": {**spec.labels, **_labels(spec.pod, SANDBOX_NAME, spec.attempt), DOCKER_TYPE: "podsandbox"},
        "HostConfig": host,
    }
    if not spec.host_network:
        body |= {"Hostname": spec.hostname, "NetworkDisabled": True}
    return body


def container_body(spec: ContainerSpec, capabilities: frozenset[str]) -> dict[str, Any]:
    """`capabilities` are those that the engine itself has: more cannot be given."""
    labels = {
        **spec.labels,
        **_labels(spec.pod, spec.name, spec.attempt),
        DOCKER_TYPE: "container",
        SANDBOX_ID: spec.sandbox_id,
    }
    body: dict[str, Any] = {
        "Image": spec.image,
        "Labels": labels,
        "Env": [f"{name}={value}" for name, value in spec.env],
        "OpenStdin": spec.stdin,
        "StdinOnce": spec.stdin_once,
        "Tty": spec.tty,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(spec, capabilities),
    }
    optional: dict[str, Any] = {
        "Entrypoint": list(spec.command),
        "Cmd": list(spec.args),
        "WorkingDir": spec.working_dir,
        "User": spec.security.user,
        "StopSignal": spec.stop_signal,
    }
    return body | {field: value for field, value in optional.items() if value}


def _host_config(spec: ContainerSpec, capabilities: frozenset[str]) -> dict[str, Any]:
    sandbox = f"container:{spec.sandbox_id}"
    host: dict[str, Any] = {
        "NetworkMode": sandbox,
        "IpcMode": "host" if spec.host_ipc else sandbox,
        "CgroupParent": spec.cgroup_parent,
        "CpuShares": spec.limits.cpu_shares,
        "Memory": spec.limits.memory,
        "MemorySwap": spec.limits.memory,  # equal: no swap
        "OomScoreAdj": spec.limits.oom_score_adj,
        "Binds": [_bind(mount) for mount in spec.mounts],
        "LogConfig": _log(spec.log_policy),
    }
    if spec.limits.cpu_quota:
        host |= {"CpuQuota": spec.limits.cpu_quota, "CpuPeriod": QUOTA_PERIOD}
    if spec.devices:
        host["Devices"] = [
            {"PathOnHost": one.source, "PathInContainer": one.target, "CgroupPermissions": one.rights} for one in spec.devices
        ]
    if spec.handler:
        host["Runtime"] = spec.handler
    if spec.pid_mode:
        host["PidMode"] = sandbox if spec.pid_mode == "sandbox" else spec.pid_mode
    return host | _security(spec.security, capabilities)


def _log(policy: LogPolicy) -> dict[str, Any]:
    """Bytes: the engine's `10m` is less than 10Mi."""
    return {"Type": "json-file", "Config": {"max-size": str(policy.max_size), "max-file": str(policy.max_files)}}


def _security(security: Security, capabilities: frozenset[str]) -> dict[str, Any]:
    options = ["no-new-privileges"] if security.no_new_privileges else []
    if security.seccomp:
        options.append(f"seccomp={security.seccomp}")
    if security.apparmor:
        options.append(f"apparmor={security.apparmor}")
    fields: dict[str, Any] = {
        "GroupAdd": list(security.groups),
        "ReadonlyRootfs": security.read_only_root,
        "SecurityOpt": options,
        "CapAdd": list(security.cap_add),
        "CapDrop": list(security.cap_drop),
    }
    if security.unmasked_proc:
        fields |= {"MaskedPaths": [], "ReadonlyPaths": []}
    if security.privileged:
        fields |= emulated_privileges(capabilities) or {"Privileged": True, "SecurityOpt": [], "CapAdd": [], "CapDrop": []}
    elif "ALL" in security.cap_add:
        fields["CapAdd"] = sorted(capabilities)
    return fields


def _bind(mount: Mount) -> str:
    options = ["ro" if mount.read_only else "rw", *([mount.propagation] if mount.propagation else [])]
    return f"{mount.source}:{mount.target}:{','.join(options)}"


def _labels(pod: PodIdentity, name: str, attempt: int) -> dict[str, str]:
    return {
        POD_NAME: pod.name,
        POD_NAMESPACE: pod.namespace,
        POD_UID: pod.uid,
        CONTAINER_NAME: name,
        RESTART_COUNT: str(attempt),
    }


def record(tree: dict[str, Any]) -> RuntimeContainer:
    """The engine's inspection of a container, in the kubelet's words (as dockershim's ContainerStatus)."""
    labels: dict[str, str] = tree["Config"].get("Labels") or {}
    state = tree["State"]
    created = moment(tree["Created"])
    started, finished = moment(state.get("StartedAt")), moment(state.get("FinishedAt"))
    condition, reason = "created", ""
    if state.get("Running"):
        condition, finished = "running", None
    elif finished is not None:
        condition = "exited"
        reason = "OOMKilled" if state.get("OOMKilled") else "Completed" if state["ExitCode"] == 0 else "Error"
    elif state["ExitCode"]:
        condition, reason, started, finished = "exited", "ContainerCannotRun", created, created
    return RuntimeContainer(
        id=tree["Id"],
        pod=PodIdentity(labels.get(POD_NAMESPACE, ""), labels.get(POD_NAME, ""), labels.get(POD_UID, "")),
        name=labels.get(CONTAINER_NAME, ""),
        attempt=int(labels.get(RESTART_COUNT, "0")),
        state=condition,  # type: ignore[arg-type]  # one of the three words above
        created_at=created,
        is_sandbox=labels.get(DOCKER_TYPE) == "podsandbox",
        sandbox_id=labels.get(SANDBOX_ID, ""),
        image=tree["Config"].get("Image", ""),
        image_id=tree.get("Image", ""),
        labels=labels,
        pid=state.get("Pid") or 0,
        started_at=started,
        finished_at=finished,
        exit_code=state["ExitCode"] if condition == "exited" else 0,
        reason=reason,
        message=state.get("Error") or "",
        log_path=tree.get("LogPath") or "",
        writable_layer=((tree.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir") or "",
        tty=bool(tree["Config"].get("Tty")),
        stop_signal=tree["Config"].get("StopSignal") or "",
        limits=_limits(tree.get("HostConfig") or {}),
    )


def _limits(host: dict[str, Any]) -> Limits:
    return Limits(host.get("CpuShares") or 0, max(0, host.get("CpuQuota") or 0), host.get("Memory") or 0)


def newest_first(records: Iterable[RuntimeContainer]) -> list[RuntimeContainer]:
    return sorted(records, key=lambda one: (one.attempt, one.created_at), reverse=True)


def moment(text: str | None) -> datetime | None:
    """The engine's timestamps have nine digits of a second; Go's zero time means never."""
    if not text or text == NEVER:
        return None
    whole, _, fraction = text.rstrip("Z").partition(".")
    digits = fraction.partition("+")[0][:6].ljust(6, "0")
    return datetime.strptime(f"{whole}.{digits}", "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=UTC)
