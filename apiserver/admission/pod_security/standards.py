"""The Pod Security Standards: what each check of a level says of a pod. Pure.

`baseline` keeps out what is known to break out of a container; `restricted` asks for today's best practice; `privileged` asks for
nothing. A restricted check that says more than the baseline check about the same thing stands for it. A namespace may keep to the
standards of an earlier version: RULES says since when each check is asked (before 1.19 profiles of seccomp were annotations; those
are not looked at).
https://kubernetes.io/docs/concepts/security/pod-security-standards/ · pod-security-admission policy
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from kube.api.meta import Tree

LEVELS = ("privileged", "baseline", "restricted")
DEFAULT_CAPABILITIES = frozenset(
    ("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
     "SETPCAP", "SETUID", "SYS_CHROOT")
)  # fmt: skip
SAFE_SYSCTLS = {  # by the minor version that brought them
    0: ("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies"),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: ("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
         "net.ipv4.tcp_keepalive_time"),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
}  # fmt: skip
SELINUX_TYPES = {0: ("", "container_t", "container_init_t", "container_kvm_t"), 31: ("container_engine_t",)}
NEWEST = sys.maxsize  # "latest", as a minor version
RESTRICTED_VOLUMES = frozenset(
    ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret")
)
SECCOMP = ("RuntimeDefault", "Localhost")
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


class Finding(NamedTuple):
    """What is not allowed, and where."""

    reason: str
    detail: str


Check = Callable[[Tree, Tree], Finding | None]  # (metadata, spec)


class Rule(NamedTuple):
    check: Check
    since: int = 0  # the minor version that asks for it first
    until: int = NEWEST + 1  # and the one that does not any more


def findings(level: str, metadata: Tree, spec: Tree, minor: int = NEWEST) -> list[Finding]:
    """Everything about a pod that the level, as of 1.`minor`, does not allow, in the order of the checks' names."""
    asked = [rule.check for rule in RULES[level] if rule.since <= minor < rule.until]
    return [found for check in asked if (found := check(metadata, spec)) is not None]


def told(found: Iterable[Finding]) -> str:
    """`privileged (container "c" must not set ...), host namespaces (hostNetwork=true)`"""
    return ", ".join(f"{one.reason} ({one.detail})" if one.detail else one.reason for one in found)


def containers(spec: Tree) -> Iterator[Tree]:
    for group in ("containers", "initContainers", "ephemeralContainers"):
        yield from spec.get(group) or ()


def _context(one: Tree) -> Tree:
    return one.get("securityContext") or {}


def _named(found: Iterable[str]) -> str:
    """`container "a"` or `containers "a", "b"`"""
    names = list(found)
    return f"container{'s' if len(names) > 1 else ''} " + ", ".join(f'"{name}"' for name in names)


def _set(found: Iterable[str], places: list[str]) -> str:
    """Who sets something: the pod, containers, or both."""
    names = list(found)
    whose = [*places, *([_named(names)] if names else [])]
    return " and ".join(whose)


def _quoted(values: Iterable[Any]) -> str:
    return ", ".join(f'"{value}"' for value in sorted(set(values)))


def _plural(values: Iterable[Any], one: str, many: str) -> str:
    return one if len(set(values)) == 1 else many


# -- baseline


def host_process(metadata: Tree, spec: Tree) -> Finding | None:
    bad = [one["name"] for one in containers(spec) if (_context(one).get("windowsOptions") or {}).get("hostProcess")]
    pod = (_context(spec).get("windowsOptions") or {}).get("hostProcess")
    if not bad and not pod:
        return None
    who = _set(bad, ["pod"] if pod else [])
    return Finding("hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true")


def host_namespaces(metadata: Tree, spec: Tree) -> Finding | None:
    bad = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return Finding("host namespaces", ", ".join(bad)) if bad else None


def privileged(metadata: Tree, spec: Tree) -> Finding | None:
    bad = [one["name"] for one in containers(spec) if _context(one).get("privileged")]
    return Finding("privileged", f"{_named(bad)} must not set securityContext.privileged=true") if bad else None


def _added(one: Tree) -> list[str]:
    return (_context(one).get("capabilities") or {}).get("add") or []


def capabilities_baseline(metadata: Tree, spec: Tree) -> Finding | None:
    bad = {one["name"]: [cap for cap in _added(one) if cap not in DEFAULT_CAPABILITIES] for one in containers(spec)}
    bad = {name: caps for name, caps in bad.items() if caps}
    if not bad:
        return None
    added = _quoted(cap for caps in bad.values() for cap in caps)
    return Finding("non-default capabilities", f"{_named(bad)} must not include {added} in securityContext.capabilities.add")


def host_path_volumes(metadata: Tree, spec: Tree) -> Finding | None:
    bad = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    if not bad:
        return None
    return Finding("hostPath volumes", f"volume{'s' if len(bad) > 1 else ''} " + ", ".join(f'"{name}"' for name in bad))


def host_ports(metadata: Tree, spec: Tree) -> Finding | None:
    bad = {one["name"]: [port["hostPort"] for port in one.get("ports") or () if port.get("hostPort")] for one in containers(spec)}
    bad = {name: ports for name, ports in bad.items() if ports}
    if not bad:
        return None
    ports = sorted({port for found in bad.values() for port in found})
    word = _plural(ports, "hostPort", "hostPorts")
    return Finding("hostPort", f"{_named(bad)} use{'s' if len(bad) == 1 else ''} {word} {', '.join(map(str, ports))}")


def host_probes(metadata: Tree, spec: Tree) -> Finding | None:
    """KEP-4940: probes and hooks of a pod reach nothing but the pod."""
    bad: dict[str, list[str]] = {}
    for one in containers(spec):
        hooks = one.get("lifecycle") or {}
        handlers = [one.get(name) or {} for name in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [hooks.get(name) or {} for name in ("postStart", "preStop")]
        hosts = [(each.get(kind) or {}).get("host") for each in handlers for kind in ("httpGet", "tcpSocket")]
        if any(hosts):
            bad[one["name"]] = [host for host in hosts if host]
    if not bad:
        return None
    hosts_told = _quoted(host for hosts in bad.values() for host in hosts)
    word = _plural((host for hosts in bad.values() for host in hosts), "host", "hosts")
    return Finding(
        "probe or lifecycle host", f"{_named(bad)} use{'s' if len(bad) == 1 else ''} probe or lifecycle {word} {hosts_told}"
    )


def apparmor(metadata: Tree, spec: Tree) -> Finding | None:
    values = [value for key, value in (metadata.get("annotations") or {}).items() if key.startswith(APPARMOR_ANNOTATION)]
    bad = [value for value in values if value not in ("", "runtime/default") and not value.startswith("localhost/")]
    profiles = [(_context(one).get("appArmorProfile") or {}).get("type") for one in (spec, *containers(spec))]
    bad += [profile for profile in profiles if profile and profile not in ("RuntimeDefault", "Localhost")]
    if not bad:
        return None
    return Finding(_plural(bad, "forbidden AppArmor profile", "forbidden AppArmor profiles"), _quoted(bad))


def selinux(types: frozenset[str], metadata: Tree, spec: Tree) -> Finding | None:
    pod = _selinux_wrongs(spec, types)
    bad = {one["name"]: wrongs for one in containers(spec) if (wrongs := _selinux_wrongs(one, types))}
    if not pod and not bad:
        return None
    every = {wrong for wrongs in (pod, *bad.values()) for wrong in wrongs}
    wrong = every - {"user", "role"}
    details = [f"{_plural(wrong, 'type', 'types')} {_quoted(wrong)}"] if wrong else []
    details += [f"{field} may not be set" for field in ("user", "role") if field in every]
    who = _set(bad, ["pod"] if pod else [])
    return Finding("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(details)}")


def _selinux_wrongs(one: Tree, types: frozenset[str]) -> set[str]:
    """The forbidden type, and which of `user` and `role` are set."""
    options = _context(one).get("seLinuxOptions") or {}
    type_ = options.get("type") or ""
    return {field for field in ("user", "role") if options.get(field)} | ({type_} if type_ not in types else set())


def proc_mount(metadata: Tree, spec: Tree) -> Finding | None:
    bad = {one["name"]: _context(one)["procMount"] for one in containers(spec)
           if _context(one).get("procMount", "Default") != "Default"}  # fmt: skip
    return Finding("procMount", f"{_named(bad)} must not set securityContext.procMount to {_quoted(bad.values())}") if bad else None


def seccomp_baseline(metadata: Tree, spec: Tree) -> Finding | None:
    bad = {one["name"]: profile for one in containers(spec) if (profile := _seccomp(one)) and profile not in SECCOMP}
    pod = _seccomp(spec)
    forbidden = [pod] if pod and pod not in SECCOMP else []
    if not bad and not forbidden:
        return None
    who = _set(bad, ["pod"] if forbidden else [])
    return Finding(
        "seccompProfile", f"{who} must not set securityContext.seccompProfile.type to {_quoted((*forbidden, *bad.values()))}"
    )


def _seccomp(one: Tree) -> str:
    return (_context(one).get("seccompProfile") or {}).get("type") or ""


def sysctls(safe: frozenset[str], metadata: Tree, spec: Tree) -> Finding | None:
    bad = [one["name"] for one in _context(spec).get("sysctls") or () if one["name"] not in safe]
    return Finding("forbidden sysctls", ", ".join(bad)) if bad else None


# -- restricted


def restricted_volumes(metadata: Tree, spec: Tree) -> Finding | None:
    bad: dict[str, str] = {}
    for volume in spec.get("volumes") or ():
        kinds = [kind for kind, source in volume.items() if kind != "name" and source is not None]
        wrong = [kind for kind in kinds if kind not in RESTRICTED_VOLUMES]
        if wrong:
            bad[volume["name"]] = wrong[0]
    if not bad:
        return None
    names = f"volume{'s' if len(bad) > 1 else ''} " + ", ".join(f'"{name}"' for name in bad)
    word = _plural(bad.values(), "restricted volume type", "restricted volume types")
    return Finding("restricted volume types", f"{names} use{'s' if len(bad) == 1 else ''} {word} {_quoted(bad.values())}")


def privilege_escalation(metadata: Tree, spec: Tree) -> Finding | None:
    bad = [one["name"] for one in containers(spec) if _context(one).get("allowPrivilegeEscalation") is not False]
    if not bad:
        return None
    return Finding("allowPrivilegeEscalation != false", f"{_named(bad)} must set securityContext.allowPrivilegeEscalation=false")


def run_as_non_root(metadata: Tree, spec: Tree) -> Finding | None:
    pod = _context(spec).get("runAsNonRoot")
    said = {one["name"]: _context(one).get("runAsNonRoot") for one in containers(spec)}
    wrong = [name for name, value in said.items() if value is False]
    if wrong or pod is False:
        whose = _set(wrong, ["pod"] if pod is False else [])
        return Finding("runAsNonRoot != true", f"{whose} must not set securityContext.runAsNonRoot=false")
    silent = [name for name, value in said.items() if value is None]
    if silent and not pod:
        return Finding("runAsNonRoot != true", f"pod or {_named(silent)} must set securityContext.runAsNonRoot=true")
    return None


def run_as_user(metadata: Tree, spec: Tree) -> Finding | None:
    bad = [one["name"] for one in containers(spec) if _context(one).get("runAsUser") == 0]
    pod = _context(spec).get("runAsUser") == 0
    if not bad and not pod:
        return None
    return Finding("runAsUser=0", f"{_set(bad, ['pod'] if pod else [])} must not set runAsUser=0")


def seccomp_restricted(metadata: Tree, spec: Tree) -> Finding | None:
    wrong = seccomp_baseline(metadata, spec)
    if wrong is not None:
        return wrong
    silent = [one["name"] for one in containers(spec) if not _seccomp(one)]
    if not silent or _seccomp(spec):
        return None
    text = f'pod or {_named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Finding("seccompProfile", text)


def capabilities_restricted(metadata: Tree, spec: Tree) -> Finding | None:
    undropped, adding, added = [], [], []
    for one in containers(spec):
        if "ALL" not in ((_context(one).get("capabilities") or {}).get("drop") or ()):
            undropped.append(one["name"])
        more = [cap for cap in _added(one) if cap != "NET_BIND_SERVICE"]
        if more:
            adding.append(one["name"])
            added += more
    details = [f'{_named(undropped)} must set securityContext.capabilities.drop=["ALL"]'] if undropped else []
    details += [f"{_named(adding)} must not include {_quoted(added)} in securityContext.capabilities.add"] if adding else []
    return Finding("unrestricted capabilities", "; ".join(details)) if details else None


# -- which of them are asked, and since when


def _not_of_windows(check: Check) -> Check:
    return lambda metadata, spec: None if (spec.get("os") or {}).get("name") == "windows" else check(metadata, spec)


def _of_host_users(check: Check) -> Check:
    """Not of a pod with users of its own: root in there is nobody out here."""
    return lambda metadata, spec: None if spec.get("hostUsers") is False else check(metadata, spec)


def _growing(check: Callable[[frozenset[str], Tree, Tree], Finding | None], allowed: dict[int, tuple[str, ...]]) -> Iterator[Rule]:
    """A rule for each version that allows more."""
    for since, until in pairwise((*allowed, NEWEST + 1)):
        names = frozenset(name for version, more in allowed.items() if version <= since for name in more)
        yield Rule(partial(check, names), since, until)


BASELINE = (
    Rule(apparmor), Rule(capabilities_baseline), Rule(host_namespaces), Rule(host_path_volumes), Rule(host_ports),
    Rule(host_probes, 34), Rule(privileged), Rule(proc_mount, 0, 35), Rule(_of_host_users(proc_mount), 35),
    Rule(seccomp_baseline, 19), *_growing(selinux, SELINUX_TYPES), *_growing(sysctls, SAFE_SYSCTLS), Rule(host_process),
)  # fmt: skip
RESTRICTED = (
    Rule(apparmor), Rule(capabilities_baseline, 0, 22), Rule(host_namespaces), Rule(host_ports), Rule(host_probes, 34),
    Rule(privileged), Rule(proc_mount, 0, 35), *_growing(selinux, SELINUX_TYPES), *_growing(sysctls, SAFE_SYSCTLS),
    Rule(host_process),
    Rule(privilege_escalation, 8, 25), Rule(_not_of_windows(privilege_escalation), 25),
    Rule(capabilities_restricted, 22, 25), Rule(_not_of_windows(capabilities_restricted), 25), Rule(proc_mount, 35),
    Rule(restricted_volumes),
    Rule(run_as_non_root, 0, 35), Rule(_of_host_users(run_as_non_root), 35),
    Rule(run_as_user, 23, 35), Rule(_of_host_users(run_as_user), 35),
    Rule(seccomp_restricted, 19, 25), Rule(_not_of_windows(seccomp_restricted), 25),
)  # fmt: skip
RULES: dict[str, tuple[Rule, ...]] = {"privileged": (), "baseline": BASELINE, "restricted": RESTRICTED}
