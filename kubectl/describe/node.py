"""describe node.

kubernetes/kubectl pkg/describe/describe.go describeNode, describeNodeResource
"""

from decimal import Decimal

from kube.api import quantity
from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.words import age, annotations, conditions, events, labels, multiline, rfc1123

ROLE = "node-role.kubernetes.io/"
COUNTED = ("cpu", "memory", "ephemeral-storage")
SYSTEM = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
    ("Kube-Proxy Version", "kubeProxyVersion"),
)


def describe(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree.get("spec") or {}, tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nRoles:\t{roles(metadata.get('labels') or {})}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}\n"
    text += multiline("Taints", [taint(one) for one in sorted(spec.get("taints") or (), key=lambda one: str(one["key"]))])
    text += f"Unschedulable:\t{'true' if spec.get('unschedulable') else 'false'}\n"
    text += _lease(around.lease, metadata["name"])
    text += conditions(status, "lastHeartbeatTime")
    text += "Addresses:\n" + "".join(f"  {one['type']}:\t{one['address']}\n" for one in status.get("addresses") or ())
    for title, field in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        amounts = status.get(field) or {}
        if amounts:
            text += f"{title}:\n" + "".join(f"  {name}:\t{amounts[name]}\n" for name in sorted(amounts))
    info = status.get("nodeInfo") or {}
    text += "System Info:\n" + "".join(
        f"  {title}:\t{info.get(field, '')}\n" for title, field in SYSTEM if field != "kubeProxyVersion" or info.get(field)
    )
    text += f"PodCIDR:\t{spec['podCIDR']}\n" if spec.get("podCIDR") else ""
    text += f"PodCIDRs:\t{','.join(spec['podCIDRs'])}\n" if spec.get("podCIDRs") else ""
    text += f"ProviderID:\t{spec['providerID']}\n" if spec.get("providerID") else ""
    return text + _resources(around, status) + events(around.events, around.now)


def roles(found: dict[str, str]) -> str:
    names = {name[len(ROLE) :] for name in found if name.startswith(ROLE) and name != ROLE}
    if found.get("kubernetes.io/role"):
        names.add(found["kubernetes.io/role"])
    return ",".join(sorted(names)) or "<none>"


def taint(one: Tree) -> str:
    value = f"={one['value']}" if one.get("value") else ""
    return f"{one['key']}{value}:{one['effect']}"


def _lease(lease: Tree | None, name: str) -> str:
    spec = (lease or {}).get("spec") or {}
    holder, acquired, renewed = (spec.get(field) for field in ("holderIdentity", "acquireTime", "renewTime"))
    if lease is None:
        return f'Lease:\tFailed to get lease: leases.coordination.k8s.io "{name}" not found\n'
    text = f"Lease:\n  HolderIdentity:\t{holder or '<unset>'}\n"
    text += f"  AcquireTime:\t{rfc1123(acquired) if acquired else '<unset>'}\n"
    return text + f"  RenewTime:\t{rfc1123(renewed) if renewed else '<unset>'}\n"


def _resources(around: Around, status: Tree) -> str:
    """The pods on the node, and what they ask for, in parts of what there is."""
    allocatable = status.get("allocatable") or status.get("capacity") or {}
    text = f"Non-terminated Pods:\t({len(around.pods)} in total)\n"
    text += "  Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n"
    text += "  ---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n"
    totals: dict[str, dict[str, Decimal]] = {"requests": {}, "limits": {}}
    for pod in around.pods:
        sums = {kind: pod_total(pod, kind) for kind in totals}
        for kind, amounts in sums.items():
            for name, amount in amounts.items():
                totals[kind][name] = totals[kind].get(name, Decimal(0)) + amount
        cells = [
            _share(sums[kind].get(name, Decimal(0)), allocatable, name)
            for name in ("cpu", "memory")
            for kind in ("requests", "limits")
        ]
        metadata = pod["metadata"]
        born = age(metadata.get("creationTimestamp"), around.now)
        text += f"  {metadata['namespace']}\t{metadata['name']}\t\t" + "\t".join(cells) + f"\t{born}\n"
    text += "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n"
    text += "  Resource\tRequests\tLimits\n  --------\t--------\t------\n"
    extended = sorted(name for name in allocatable if name not in COUNTED and name != "pods" and not name.startswith("attachable"))
    for name in (*COUNTED, *extended):
        cells = [_share(totals[kind].get(name, Decimal(0)), allocatable, name) for kind in ("requests", "limits")]
        if name in extended and not name.startswith("hugepages-"):
            cells = [cell.partition(" ")[0] for cell in cells]
        text += f"  {name}\t" + "\t".join(cells) + "\n"
    return text


def pod_total(pod: Tree, kind: str) -> dict[str, Decimal]:
    """Requests or limits of a whole pod: the containers' sum, at least the largest init container; overhead on top."""
    spec = pod["spec"]
    total: dict[str, Decimal] = {}
    for container in spec.get("containers") or ():
        for name, amount in ((container.get("resources") or {}).get(kind) or {}).items():
            total[name] = total.get(name, Decimal(0)) + quantity.parse(amount)
    for container in spec.get("initContainers") or ():
        for name, amount in ((container.get("resources") or {}).get(kind) or {}).items():
            asked = quantity.parse(amount)
            if container.get("restartPolicy") == "Always":
                total[name] = total.get(name, Decimal(0)) + asked
            else:
                total[name] = max(total.get(name, Decimal(0)), asked)
    for name, amount in (spec.get("overhead") or {}).items():
        if kind == "requests" or name in total:
            total[name] = total.get(name, Decimal(0)) + quantity.parse(amount)
    return total


def _share(amount: Decimal, allocatable: dict[str, str], name: str) -> str:
    """`100m (5%)`."""
    family = "decimal" if name == "cpu" else "binary"
    whole = quantity.parse(allocatable[name]) if name in allocatable else Decimal(0)
    percent = int(amount / whole * 100) if whole else 0
    return f"{quantity.render(amount, family)} ({percent}%)"
