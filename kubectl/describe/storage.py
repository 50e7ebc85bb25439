"""describe persistentvolumeclaim, persistentvolume, storageclass.

kubernetes/kubectl pkg/describe/describe.go
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.volumes import rows
from kubectl.describe.words import annotations, conditions, events, labels, multiline, rfc1123

MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def modes(found: list[str] | None) -> str:
    return ",".join(MODES.get(one, one) for one in found or ())


def claim(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\nStorageClass:\t{spec.get('storageClassName') or ''}\n"
    text += _phase(metadata, status) + f"Volume:\t{spec.get('volumeName', '')}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Finalizers:\t[{' '.join(metadata.get('finalizers') or ())}]\n"
    bound = bool(spec.get("volumeName"))
    text += f"Capacity:\t{(status.get('capacity') or {}).get('storage', '') if bound else ''}\n"
    text += f"Access Modes:\t{modes(status.get('accessModes')) if bound else ''}\n"
    if spec.get("volumeMode"):
        text += f"VolumeMode:\t{spec['volumeMode']}\n"
    source = spec.get("dataSource")
    if source:
        text += f"DataSource:\n  APIGroup:\t{source.get('apiGroup') or ''}\n  Kind:\t{source['kind']}\n  Name:\t{source['name']}\n"
    users = [one["metadata"]["name"] for one in around.pods if metadata["name"] in _claims(one)]
    return text + multiline("Used By", sorted(users)) + conditions(status, "lastProbeTime") + events(around.events, around.now)


def _phase(metadata: Tree, status: Tree) -> str:
    if metadata.get("deletionTimestamp"):
        return f"Status:\tTerminating (since {rfc1123(metadata['deletionTimestamp'])})\n"
    return f"Status:\t{status.get('phase', '')}\n"


def _claims(pod: Tree) -> list[str]:
    return [
        one["persistentVolumeClaim"]["claimName"] for one in pod["spec"].get("volumes") or () if one.get("persistentVolumeClaim")
    ]


def volume(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\n" + labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Finalizers:\t[{' '.join(metadata.get('finalizers') or ())}]\nStorageClass:\t{spec.get('storageClassName') or ''}\n"
    text += _phase(metadata, status)
    reference = spec.get("claimRef")
    text += f"Claim:\t{reference['namespace']}/{reference['name']}\n" if reference else "Claim:\t\n"
    text += f"Reclaim Policy:\t{spec.get('persistentVolumeReclaimPolicy', '')}\nAccess Modes:\t{modes(spec.get('accessModes'))}\n"
    if spec.get("volumeMode"):
        text += f"VolumeMode:\t{spec['volumeMode']}\n"
    text += f"Capacity:\t{(spec.get('capacity') or {}).get('storage', '')}\n" + _affinity(spec.get("nodeAffinity"))
    text += f"Message:\t{status.get('message', '')}\nSource:\n{rows(spec)}"
    return text + events(around.events, around.now)


def _affinity(found: Tree | None) -> str:
    terms = ((found or {}).get("required") or {}).get("nodeSelectorTerms")
    if not found:
        return "Node Affinity:\t<none>\n"
    if not terms:
        return "Node Affinity:\t\n  Required Terms:\t<none>\n"
    text = "Node Affinity:\t\n  Required Terms:\t\n"
    for at, term in enumerate(terms):
        parts = [
            f"{one['key']} {one['operator'].lower()}" + (f" [{', '.join(one['values'])}]" if one.get("values") else "")
            for one in term.get("matchExpressions") or ()
        ]
        text += f"    Term {at}:\t" + ("\n    \t".join(parts) or "<none>") + "\n"
    return text


def storage_class(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    notes = metadata.get("annotations") or {}
    default = "Yes" if notes.get("storageclass.kubernetes.io/is-default-class") == "true" else "No"
    text = f"Name:\t{metadata['name']}\nIsDefaultClass:\t{default}\nAnnotations:\t{_pairs(notes)}\n"
    text += f"Provisioner:\t{tree.get('provisioner', '')}\nParameters:\t{_pairs(tree.get('parameters') or {})}\n"
    expands = tree.get("allowVolumeExpansion")
    text += f"AllowVolumeExpansion:\t{'<unset>' if expands is None else expands}\n"
    mounts = tree.get("mountOptions")
    text += "MountOptions:\t<none>\n" if not mounts else "MountOptions:\n" + "".join(f"  {one}\n" for one in mounts)
    text += f"ReclaimPolicy:\t{tree.get('reclaimPolicy', '')}\nVolumeBindingMode:\t{tree.get('volumeBindingMode', '')}\n"
    return text + events(around.events, around.now)


def _pairs(found: dict[str, str]) -> str:
    return ",".join(f"{name}={found[name]}" for name in sorted(found)) or "<none>"
