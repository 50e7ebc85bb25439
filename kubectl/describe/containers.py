"""Containers in a description: image, ports, state, resources, probes, environment, mounts.

kubernetes/kubectl pkg/describe/describe.go DescribeContainers
"""

from collections.abc import Sequence

from kube.api.meta import Tree
from kubectl.describe.words import rfc1123


def containers(
    title: str, found: Sequence[Tree], statuses: Sequence[Tree], *, indent: int = 0, described_pod: Tree | None = None
) -> str:
    """All containers of a list; `described_pod` gives the values of fieldRef variables."""
    space = "  " * indent
    by_name = {one["name"]: one for one in statuses}
    text = f"{space}{title}:\n" if found else f"{space}{title}: <none>\n"
    for container in found:
        status = by_name.get(container["name"])
        text += f"  {' ' * indent}{container['name']}:\n"  # in a template, one column further to the right; its rows are not
        text += "".join(f"    {row}\n" for row in _rows(container, status, described_pod))
    return text


def _rows(container: Tree, status: Tree | None, pod: Tree | None) -> list[str]:
    rows = []
    if status is not None:
        rows.append(f"Container ID:\t{status.get('containerID', '')}")
    rows.append(f"Image:\t{container.get('image', '')}")
    if status is not None:
        rows.append(f"Image ID:\t{status.get('imageID', '')}")
    rows += _ports(container.get("ports") or [])
    profile = (container.get("securityContext") or {}).get("seccompProfile")
    if profile:
        rows.append(f"SeccompProfile:\t{profile['type']}")
    for title, field in (("Command", "command"), ("Args", "args")):
        if container.get(field):
            rows.append(f"{title}:")
            rows += [f"  {part}" for word in container[field] for part in word.split("\n")]
    if status is not None:
        rows += _status(status)
    for title, field in (("Limits", "limits"), ("Requests", "requests")):
        amounts = (container.get("resources") or {}).get(field) or {}
        if amounts:
            rows.append(f"{title}:")
            rows += [f"  {name}:\t{amounts[name]}" for name in sorted(amounts)]
    for title, field in (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")):
        if container.get(field):
            rows.append(f"{title}:\t{probe(container[field])}")
    return rows + _environment(container, pod) + _mounts(container)


def _ports(ports: Sequence[Tree]) -> list[str]:
    name = "Ports" if len(ports) > 1 else "Port"
    inner = ", ".join(f"{one['containerPort']}/{one.get('protocol', 'TCP')}{_named(one)}" for one in ports)
    outer = ", ".join(f"{one.get('hostPort', 0)}/{one.get('protocol', 'TCP')}{_named(one)}" for one in ports)
    return [f"{name}:\t{inner or '<none>'}", f"Host {name}:\t{outer or '<none>'}"]


def _named(port: Tree) -> str:
    return f" ({port['name']})" if port.get("name") else ""


def _status(status: Tree) -> list[str]:
    rows = _state("State", status.get("state") or {})
    last = status.get("lastState") or {}
    if last.get("terminated"):
        rows += _state("Last State", last)
    ready = "True" if status.get("ready") else "False"
    return [*rows, f"Ready:\t{ready}", f"Restart Count:\t{status.get('restartCount', 0)}"]


def _state(title: str, state: Tree) -> list[str]:
    if state.get("running") is not None:
        return [f"{title}:\tRunning", f"  Started:\t{rfc1123(state['running'].get('startedAt'))}"]
    if state.get("terminated") is not None:
        ended = state["terminated"]
        rows = [f"{title}:\tTerminated"]
        rows += [f"  {name}:\t{ended[key]}" for name, key in (("Reason", "reason"), ("Message", "message")) if ended.get(key)]
        rows.append(f"  Exit Code:\t{ended.get('exitCode', 0)}")
        if ended.get("signal"):
            rows.append(f"  Signal:\t{ended['signal']}")
        return [*rows, f"  Started:\t{rfc1123(ended.get('startedAt'))}", f"  Finished:\t{rfc1123(ended.get('finishedAt'))}"]
    waiting = state.get("waiting") or {}
    rows = [f"{title}:\tWaiting"]
    return rows + ([f"  Reason:\t{waiting['reason']}"] if waiting.get("reason") else [])


def probe(found: Tree) -> str:
    """`http-get http://:80/ delay=0s timeout=1s period=10s successThreshold=1 failureThreshold=3`."""
    counts = (
        f"delay={found.get('initialDelaySeconds', 0)}s timeout={found.get('timeoutSeconds', 0)}s "
        f"period={found.get('periodSeconds', 0)}s "
        f"successThreshold={found.get('successThreshold', 0)} failureThreshold={found.get('failureThreshold', 0)}"
    )
    if found.get("exec") is not None:
        return f"exec [{' '.join(found['exec'].get('command') or ())}] {counts}"
    if found.get("httpGet") is not None:
        get = found["httpGet"]
        path = get.get("path") or ""
        port = f":{get['port']}" if get.get("port") not in (None, "") else ""
        return f"http-get {(get.get('scheme') or '').lower()}://{get.get('host') or ''}{port}{path} {counts}"
    if found.get("tcpSocket") is not None:
        return f"tcp-socket {found['tcpSocket'].get('host') or ''}:{found['tcpSocket']['port']} {counts}"
    if found.get("grpc") is not None:
        return f"grpc <pod>:{found['grpc']['port']} {found['grpc'].get('service') or ''} {counts}"
    return f"unknown {counts}"


def _environment(container: Tree, pod: Tree | None) -> list[str]:
    rows = []
    if container.get("envFrom"):
        rows.append("Environment Variables from:")
        for one in container["envFrom"]:
            kind, reference = (
                ("ConfigMap", one["configMapRef"]) if one.get("configMapRef") else ("Secret", one.get("secretRef") or {})
            )
            optional = "true" if reference.get("optional") else "false"
            prefix = f" with prefix '{one['prefix']}'" if one.get("prefix") else ""
            rows.append(f"  {reference.get('name')}\t{kind}{prefix}\tOptional: {optional}")
    if not container.get("env"):
        return [*rows, "Environment:\t<none>"]
    rows.append("Environment:")
    for one in container["env"]:
        source = one.get("valueFrom")
        if not source:
            for at, part in enumerate((one.get("value") or "").split("\n")):
                rows.append(f"  {one['name']}:\t{part}" if not at else f"  \t{part}")
        else:
            rows.append(f"  {one['name']}:\t{_source(source, pod)}")
    return rows


def _source(source: Tree, pod: Tree | None) -> str:
    if source.get("fieldRef"):
        reference = source["fieldRef"]
        return f"{_field(pod, reference['fieldPath'])} ({reference.get('apiVersion', 'v1')}:{reference['fieldPath']})"
    if source.get("resourceFieldRef"):
        reference = source["resourceFieldRef"]
        return f"0 ({reference['resource']})" if not pod else f"node allocatable ({reference['resource']})"
    for kind, joint, title in (("secretKeyRef", "in", "secret"), ("configMapKeyRef", "of", "config map")):
        if source.get(kind):
            reference = source[kind]
            optional = "true" if reference.get("optional") else "false"
            return f"<set to the key '{reference['key']}' {joint} {title} '{reference.get('name', '')}'>\tOptional: {optional}"
    return ""


def _field(pod: Tree | None, path: str) -> str:
    """The value of a field that a variable takes from its pod."""
    value: object = pod or {}
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value or "")


def _mounts(container: Tree) -> list[str]:
    mounts = sorted(container.get("volumeMounts") or (), key=lambda one: str(one["mountPath"]))
    rows = ["Mounts:" if mounts else "Mounts:\t<none>"]
    for one in mounts:
        flags = ["ro" if one.get("readOnly") else "rw"]
        if one.get("subPath"):
            flags.append(f'path="{one["subPath"]}"')
        rows.append(f"  {one['mountPath']} from {one['name']} ({','.join(flags)})")
    devices = container.get("volumeDevices") or ()
    if devices:
        rows.append("Devices:")
        rows += [f"  {one['devicePath']} from {one['name']}" for one in sorted(devices, key=lambda one: str(one["devicePath"]))]
    return rows
