"""Security: a container's effective security context: its own fields, else the pod's. Pure.

https://kubernetes.io/docs/tasks/configure-pod-container/security-context/ · upstream
pkg/kubelet/kuberuntime/security_context.go
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from kube.api.types import AppArmorProfile, Container, Pod, PodSecurityContext, SeccompProfile, SecurityContext
from kubelet.container_error import ConfigError
from kubelet.pod_state import every_container
from kubelet.runtime.runtime import RuntimeFailure, Security

APPARMOR = Path("/sys/module/apparmor/parameters/enabled")

SAFE_SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)


def effective(pod: Pod, container: Container, seccomp_root: Path) -> Security:
    """Reads a Localhost seccomp profile from below `seccomp_root`."""
    of_pod = pod.spec.securityContext or PodSecurityContext()
    own = container.securityContext or SecurityContext()
    privileged = bool(own.privileged)
    user = of_pod.runAsUser if own.runAsUser is None else own.runAsUser
    group = of_pod.runAsGroup if own.runAsGroup is None else own.runAsGroup
    groups = [*(of_pod.supplementalGroups or ()), *([] if of_pod.fsGroup is None else [of_pod.fsGroup])]
    return Security(
        user=_user(user, group),
        groups=tuple(str(one) for one in groups),
        cap_add=tuple(getattr(own.capabilities, "add", None) or ()),
        cap_drop=tuple(getattr(own.capabilities, "drop", None) or ()),
        privileged=privileged,
        read_only_root=bool(own.readOnlyRootFilesystem),
        no_new_privileges=own.allowPrivilegeEscalation is False and not privileged,
        seccomp="" if privileged else _seccomp(own.seccompProfile or of_pod.seccompProfile, seccomp_root),
        apparmor="" if privileged else _apparmor(own.appArmorProfile or of_pod.appArmorProfile),
        unmasked_proc=own.procMount == "Unmasked",
    )


def _user(user: int | None, group: int | None) -> str:
    """A group without a user needs one: root, as upstream's runtimes take it."""
    if user is None and group is None:
        return ""
    return f"{user or 0}" if group is None else f"{user or 0}:{group}"


def _seccomp(profile: SeccompProfile | None, root: Path) -> str:
    if profile is None or profile.type == "Unconfined":
        return "unconfined"
    if profile.type == "RuntimeDefault":
        return ""
    try:
        return (root / profile.localhostProfile).read_text()
    except OSError as error:
        raise ConfigError(f"cannot load seccomp profile {root / profile.localhostProfile}: {error.strerror}") from error


def _apparmor(profile: AppArmorProfile | None) -> str:
    if profile is None or profile.type == "RuntimeDefault":
        return ""
    return str(profile.localhostProfile) if profile.type == "Localhost" else "unconfined"


def check_non_root(pod: Pod, container: Container, image_user: str) -> None:
    """Raises ConfigError where runAsNonRoot is asked for and cannot be had."""
    of_pod = pod.spec.securityContext or PodSecurityContext()
    own = container.securityContext or SecurityContext()
    asked = of_pod.runAsNonRoot if own.runAsNonRoot is None else own.runAsNonRoot
    if not asked:
        return
    metadata = pod.metadata
    where = f'(pod: "{metadata.name}_{metadata.namespace}({metadata.uid})", container: {container.name})'
    user = of_pod.runAsUser if own.runAsUser is None else own.runAsUser
    if user is not None:
        if user == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
        return
    name = image_user.partition(":")[0]
    if name in ("", "0"):
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")
    if not name.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root {where}"
        )


def sysctls(pod: Pod) -> dict[str, str]:
    of_pod = pod.spec.securityContext or PodSecurityContext()
    return {one.name.replace("/", "."): one.value for one in of_pod.sysctls or ()}


def forbidden_sysctl(pod: Pod, unsafe: Iterable[str] = ()) -> str:
    """The first sysctl that pods may not set on this node, or nothing; `unsafe` are names, or beginnings of names with a `*`."""
    allowed = (*SAFE_SYSCTLS, *(one.replace("/", ".") for one in unsafe))
    return next((name for name in sysctls(pod) if not any(fnmatchcase(name, one) for one in allowed)), "")


def has_apparmor() -> bool:
    """Whether the host's kernel has it, and switched on."""
    return APPARMOR.exists() and APPARMOR.read_text().startswith("Y")


def unenforceable(pod: Pod, *, apparmor: bool) -> tuple[str, str] | None:
    """The reason and message where the pod asks for a protection that this node cannot give: it does not run without."""
    if not apparmor and any(one.type != "Unconfined" for one in _apparmor_profiles(pod)):
        return "AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host"
    if getattr(pod.spec.securityContext, "supplementalGroupsPolicy", None) == "Strict":
        return "SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node"
    return None


def _apparmor_profiles(pod: Pod) -> Iterator[AppArmorProfile]:
    for context in (pod.spec.securityContext, *(one.securityContext for one in every_container(pod))):
        profile = getattr(context, "appArmorProfile", None)
        if profile is not None:
            yield profile


def check_user_namespace(pod: Pod, handler: str) -> None:
    """The engine maps users for all of its containers or for none, never for one pod. Raises RuntimeFailure."""
    if pod.spec.hostUsers is False:
        raise RuntimeFailure(f'RuntimeClass handler "{handler}" does not support user namespaces')
