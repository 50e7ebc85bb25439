"""Container spec: from a pod and what is known of its surroundings to what the runtime is asked for. Pure, but for subPath
mounts.

Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go generateContainerConfig.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from kube.api.types import Container, Pod
from kube.api.views import tree_of
from kubelet import resources, security
from kubelet.container_error import ConfigError
from kubelet.devices.grant import NOTHING_GRANTED, Granted
from kubelet.downward import PodFacts
from kubelet.environment import Objects, environment, expand, expand_known
from kubelet.name_files import kernel_hostname
from kubelet.node_facts import NodeFacts
from kubelet.pod_files import PodFiles
from kubelet.pod_state import CONTAINER_HASH, IMAGE_DIGEST, all_containers, grace_seconds
from kubelet.pod_volumes import MountedVolumes, container_devices, container_mounts
from kubelet.runtime.runtime import ContainerSpec, Mount, PodIdentity, SandboxSpec
from kubelet.volumes.volume import VolumeError

MESSAGE_PATH = "annotation.io.kubernetes.container.terminationMessagePath"
MESSAGE_POLICY = "annotation.io.kubernetes.container.terminationMessagePolicy"
POD_GRACE = "annotation.io.kubernetes.pod.terminationGracePeriod"
DEFAULT_MESSAGE_PATH = "/dev/termination-log"
ETC_HOSTS = "/etc/hosts"


@dataclass(frozen=True)
class Surroundings:
    """What a pod's containers find when they start."""

    sandbox_id: str
    volumes: MountedVolumes
    objects: Objects
    services: Mapping[str, str]
    facts: PodFacts
    running: Mapping[str, str] = field(default_factory=dict)  # ids of the pod's containers that run, by name
    runtime_handler: str = ""
    granted: Granted = NOTHING_GRANTED  # to the one that starts


def identity(pod: Pod) -> PodIdentity:
    return PodIdentity(pod.metadata.namespace, pod.metadata.name, pod.metadata.uid)


def container_hash(container: Container) -> str:
    """What tells a changed definition. Only the image can change in a pod, so only it and the name count, as upstream has
    it.
    """
    tree = tree_of(container)
    return hashlib.sha256(orjson.dumps([tree.get("name"), tree.get("image")])).hexdigest()[:8]


def hashes(pod: Pod) -> dict[str, str]:
    return {container.name: container_hash(container) for container in all_containers(pod)}


def sandbox_spec(pod: Pod, attempt: int, node: NodeFacts, handler: str = "") -> SandboxSpec:
    """Raises NameTooLong, RuntimeFailure."""
    security.check_user_namespace(pod, handler)
    return SandboxSpec(
        pod=identity(pod),
        attempt=attempt,
        image=node.sandbox_image,
        hostname=kernel_hostname(pod, node.cluster_domain),
        cgroup_parent=resources.cgroup_parent(pod, node.cgroup_root, node.cgroup_driver),
        host_network=bool(pod.spec.hostNetwork),
        host_pid=bool(pod.spec.hostPID),
        host_ipc=bool(pod.spec.hostIPC),
        sysctls=security.sysctls(pod),
        handler=handler,
    )


def container_spec(
    pod: Pod, container: Container, attempt: int, around: Surroundings, node: NodeFacts, files: PodFiles, digest: str = ""
) -> ContainerSpec:
    """`digest`: of the image, as its registry names it. Raises ConfigError where the pod names what is not there."""
    variables = environment(pod, container, around.objects, around.services, around.facts)
    try:
        volumes = container_mounts(pod, container, around.volumes, files, lambda text: expand_known(text, variables))
        devices = container_devices(container, around.volumes)
    except VolumeError as error:
        raise ConfigError(str(error)) from error
    granted = around.granted
    limits = resources.container_limits(pod, container, node.memory, node.least_oom_score)
    return ContainerSpec(
        pod=identity(pod),
        name=container.name,
        attempt=attempt,
        image=container.image,
        sandbox_id=around.sandbox_id,
        cgroup_parent=resources.cgroup_parent(pod, node.cgroup_root, node.cgroup_driver),
        labels=_labels(pod, container, granted) | ({IMAGE_DIGEST: digest} if digest else {}),
        command=tuple(expand(word, variables) for word in container.command or ()),
        args=tuple(expand(word, variables) for word in container.args or ()),
        env=tuple({**granted.env, **variables}.items()),
        working_dir=container.workingDir or "",
        mounts=(*granted.mounts, *volumes, *_own_mounts(pod, container, attempt, files)),
        devices=(*granted.devices, *devices),
        limits=limits,
        security=security.effective(pod, container, node.seccomp_root),
        stdin=bool(container.stdin),
        stdin_once=bool(container.stdinOnce),
        tty=bool(container.tty),
        pid_mode=_pid_mode(pod, container, around),
        host_ipc=bool(pod.spec.hostIPC),
        handler=around.runtime_handler,
        stop_signal=getattr(container.lifecycle, "stopSignal", None) or "",
        log_policy=node.logs,
    )


def _pid_mode(pod: Pod, container: Container, around: Surroundings) -> str:
    """An ephemeral container may join the processes of one of the pod's."""
    if pod.spec.hostPID:
        return "host"
    if pod.spec.shareProcessNamespace:
        return "sandbox"
    target = getattr(container, "targetContainerName", None)
    if not target:
        return ""
    if target not in around.running:
        raise ConfigError(f"unable to find target container {target}")
    return f"container:{around.running[target]}"


def _labels(pod: Pod, container: Container, granted: Granted) -> dict[str, str]:
    return {
        **{f"annotation.{name}": value for name, value in granted.annotations.items()},
        CONTAINER_HASH: container_hash(container),
        MESSAGE_PATH: container.terminationMessagePath or DEFAULT_MESSAGE_PATH,
        MESSAGE_POLICY: container.terminationMessagePolicy or "File",
        POD_GRACE: str(grace_seconds(pod)),
    }


def _own_mounts(pod: Pod, container: Container, attempt: int, files: PodFiles) -> list[Mount]:
    """The files that the kubelet keeps for the pod; a volume of the user's at the same place goes first."""
    message_path = container.terminationMessagePath or DEFAULT_MESSAGE_PATH
    own = [
        Mount(str(files.termination_message(container.name, attempt)), message_path),
        Mount(str(files.etc_hosts), ETC_HOSTS),
        Mount(str(files.resolv_conf), "/etc/resolv.conf"),
    ]
    if not pod.spec.hostNetwork:
        own.append(Mount(str(files.hostname), "/etc/hostname"))
    taken = {one.mountPath for one in container.volumeMounts or ()}
    return [mount for mount in own if mount.target not in taken]
