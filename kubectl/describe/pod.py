"""describe pod, and the pod template that workloads share.

kubernetes/kubectl pkg/describe/describe.go describePod, DescribePodTemplate
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.containers import containers
from kubectl.describe.volumes import volumes
from kubectl.describe.words import age, annotations, controlled_by, events, labels, line, multiline, rfc1123, selector_text


def describe(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata.get('namespace', '')}\n"
    if spec.get("priority") is not None:
        text += f"Priority:\t{spec['priority']}\n"
    if spec.get("priorityClassName"):
        text += f"Priority Class Name:\t{spec['priorityClassName']}\n"
    if (spec.get("runtimeClassName") or "") != "":
        text += f"Runtime Class Name:\t{spec['runtimeClassName']}\n"
    text += f"Service Account:\t{spec['serviceAccountName']}\n" if spec.get("serviceAccountName") else ""
    text += f"Node:\t{_node(spec, status)}\n"
    text += f"Start Time:\t{rfc1123(status['startTime'])}\n" if status.get("startTime") else ""
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += _phase(metadata, status, around)
    text += _profile(spec)
    text += f"IP:\t{status.get('podIP', '')}\n" + _addresses(status) + controlled_by(tree)
    text += f"NominatedNodeName:\t{status['nominatedNodeName']}\n" if status.get("nominatedNodeName") else ""
    for title, field in (
        ("Init Containers", "initContainers"),
        ("Containers", "containers"),
        ("Ephemeral Containers", "ephemeralContainers"),
    ):
        if spec.get(field) or field == "containers":
            statuses = status.get({"containers": "containerStatuses"}.get(field, f"{field[:-1]}Statuses"))
            text += containers(title, spec.get(field) or [], statuses or [], described_pod=tree)
    text += _gates(spec, status) + _conditions(status) + volumes(spec.get("volumes"))
    text += f"QoS Class:\t{status.get('qosClass', '')}\n" if status.get("qosClass") else f"QoS Class:\t{_qos(tree)}\n"
    text += labels("Node-Selectors", spec.get("nodeSelector")) + tolerations(spec)
    text += _spread(spec)
    return text + events(around.events, around.now)


def _node(spec: Tree, status: Tree) -> str:
    if not spec.get("nodeName"):
        return "<none>"
    return f"{spec['nodeName']}/{status.get('hostIP', '')}"


def _phase(metadata: Tree, status: Tree, around: Around) -> str:
    if metadata.get("deletionTimestamp") and status.get("phase") not in ("Failed", "Succeeded"):
        text = f"Status:\tTerminating (lasts {age(metadata['deletionTimestamp'], around.now)})\n"
        text += f"Termination Grace Period:\t{metadata.get('deletionGracePeriodSeconds', 0)}s\n"
    else:
        text = f"Status:\t{status.get('phase', '')}\n"
    text += f"Reason:\t{status['reason']}\n" if status.get("reason") else ""
    return text + (f"Message:\t{status['message']}\n" if status.get("message") else "")


def _profile(spec: Tree) -> str:
    profile = (spec.get("securityContext") or {}).get("seccompProfile")
    if not profile:
        return ""
    text = f"SeccompProfile:\t{profile['type']}\n"
    if profile["type"] == "Localhost":
        text += f"LocalhostProfile:\t{profile.get('localhostProfile', '')}\n"
    return text


def _addresses(status: Tree) -> str:
    ips = status.get("podIPs") or ()
    if not ips:
        return "IPs:\t<none>\n"
    return "IPs:\n" + "".join(f"  IP:\t{one['ip']}\n" for one in ips)


def _gates(spec: Tree, status: Tree) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return ""
    known = {one["type"]: one["status"] for one in status.get("conditions") or ()}
    rows = "".join(f"  {one['conditionType']}\t{known.get(one['conditionType'], '<none>')} \n" for one in gates)
    return "Readiness Gates:\n  Type\tStatus\n" + rows


def _conditions(status: Tree) -> str:
    found = status.get("conditions") or ()
    return "Conditions:\n  Type\tStatus\n" + "".join(f"  {one['type']} \t{one['status']} \n" for one in found) if found else ""


def _qos(tree: Tree) -> str:
    """As the server would work it out, for one that has not."""
    limits = [one.get("resources") or {} for one in tree["spec"].get("containers") or ()]
    if not any(one.get("limits") or one.get("requests") for one in limits):
        return "BestEffort"
    guaranteed = all(
        set(one.get("limits") or {}) >= {"cpu", "memory"} and (one.get("requests") or one["limits"]) == one["limits"]
        for one in limits
    )
    return "Guaranteed" if guaranteed else "Burstable"


def tolerations(spec: Tree, title: str = "Tolerations") -> str:
    return multiline(title, sorted(_toleration(one) for one in spec.get("tolerations") or ()))


def _toleration(one: Tree) -> str:
    """`key=value:Effect op=Exists for 300s`."""
    text = one.get("key") or ""
    if one.get("value"):
        text += f"={one['value']}"
    if one.get("effect"):
        text += f":{one['effect']}"
    if one.get("operator") == "Exists" and not one.get("value"):
        text += " op=Exists" if text else "op=Exists"
    elif one.get("operator") in ("Lt", "Gt"):
        text += f" op={one['operator']}"
    if one.get("tolerationSeconds") is not None:
        text += f" for {one['tolerationSeconds']}s"
    return text


def _spread(spec: Tree) -> str:
    found = []
    for one in spec.get("topologySpreadConstraints") or ():
        text = f"{one['topologyKey']}:{one['whenUnsatisfiable']} when max skew {one['maxSkew']} is exceeded"
        if one.get("labelSelector") is not None:
            text += f" for selector {selector_text(one['labelSelector'])}"
        found.append(text)
    return multiline("Topology Spread Constraints", sorted(found)) if found else ""


def template(tree: Tree) -> str:
    """`Pod Template:` of a workload."""
    metadata, spec = tree.get("metadata") or {}, tree.get("spec") or {}
    text = "Pod Template:\n" + labels("Labels", metadata.get("labels"), indent="  ")
    if metadata.get("annotations"):
        text += annotations(metadata["annotations"], indent="  ")
    if spec.get("serviceAccountName"):
        text += f"  Service Account:\t{spec['serviceAccountName']}\n"
    if spec.get("initContainers"):
        text += containers("Init Containers", spec["initContainers"], [], indent=1)
    text += containers("Containers", spec.get("containers") or [], [], indent=1)
    text += volumes(spec.get("volumes"), indent=1)
    text += _spread(spec)
    if spec.get("priorityClassName"):
        text += line(1, f"Priority Class Name:\t{spec['priorityClassName']}")
    text += labels("Node-Selectors", spec.get("nodeSelector"), indent="  ")
    return text + multiline("Tolerations", sorted(_toleration(one) for one in spec.get("tolerations") or ()), indent="  ")


def template_text(tree: Tree, cause: str = "") -> str:
    """The template as `rollout history --revision` shows it: columns are left to the terminal's tabs."""
    shown = dict(tree)
    if cause and cause != "<none>":
        metadata = dict(tree.get("metadata") or {})
        metadata["annotations"] = {**(metadata.get("annotations") or {}), "kubernetes.io/change-cause": cause}
        shown["metadata"] = metadata
    return template(shown)
