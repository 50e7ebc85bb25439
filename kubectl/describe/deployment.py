"""describe deployment.

kubernetes/kubectl pkg/describe/describe.go describeDeployment
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.pod import template
from kubectl.describe.words import annotations, events, labels, rfc1123, selector_text

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


def describe(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Selector:\t{selector_text(spec.get('selector'))}\n"
    counts = (
        f"{spec.get('replicas', 0)} desired | {status.get('updatedReplicas', 0)} updated | {status.get('replicas', 0)} total | "
        f"{status.get('availableReplicas', 0)} available | {status.get('unavailableReplicas', 0)} unavailable"
    )
    strategy = spec.get("strategy") or {}
    text += f"Replicas:\t{counts}\nStrategyType:\t{strategy.get('type', '')}\nMinReadySeconds:\t{spec.get('minReadySeconds', 0)}\n"
    rolling = strategy.get("rollingUpdate")
    if rolling:
        text += f"RollingUpdateStrategy:\t{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge\n"
    text += template(spec["template"])
    conditions = status.get("conditions") or ()
    if conditions:
        text += "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n"
        text += "".join(f"  {one['type']} \t{one['status']}\t{one.get('reason', '')}\n" for one in conditions)
    new, old = divided(tree, around.replica_sets)
    text += f"OldReplicaSets:\t{_sets(old)}\nNewReplicaSet:\t{_sets(new)}\n"
    return text + events(around.events, around.now)


def divided(tree: Tree, replica_sets: list[Tree]) -> tuple[list[Tree], list[Tree]]:
    """The set whose template is the deployment's (at most one), and the others that it controls."""
    uid = tree["metadata"].get("uid")
    own = [
        one
        for one in replica_sets
        if any(o.get("controller") and o["uid"] == uid for o in one["metadata"].get("ownerReferences") or ())
    ]
    own.sort(key=lambda one: one["metadata"].get("creationTimestamp") or "")
    new = next((one for one in own if _bare(one["spec"]["template"]) == _bare(tree["spec"]["template"])), None)
    return ([new] if new else []), [one for one in own if one is not new]


def _bare(template: Tree) -> Tree:
    """Without the label that tells one set's pods from another's, and without empty fields."""
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value}
    metadata["labels"] = {name: value for name, value in (metadata.get("labels") or {}).items() if name != HASH}
    return {**template, "metadata": {key: value for key, value in metadata.items() if key != "creationTimestamp"}}


def _sets(found: list[Tree]) -> str:
    names = [
        f"{one['metadata']['name']} "
        f"({(one.get('status') or {}).get('replicas', 0)}/{one['spec'].get('replicas', 0)} replicas created)"
        for one in found
    ]
    return ", ".join(names) or "<none>"
