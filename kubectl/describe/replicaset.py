"""describe replicaset, replicationcontroller, daemonset.

kubernetes/kubectl pkg/describe/describe.go describeReplicaSet, describeDaemonSet
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.pod import template
from kubectl.describe.words import annotations, controlled_by, events, labels, selector_text


def describe(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += f"Selector:\t{selector_text(spec.get('selector'))}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations")) + controlled_by(tree)
    text += f"Replicas:\t{status.get('replicas', 0)} current / {spec.get('replicas', 0)} desired\n"
    text += f"Pods Status:\t{pods_status(tree, around.pods)}\n"
    text += template(spec["template"])
    conditions = status.get("conditions") or ()
    if conditions:
        text += "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n"
        text += "".join(f"  {one['type']} \t{one['status']}\t{one.get('reason', '')}\n" for one in conditions)
    return text + events(around.events, around.now)


def describe_daemon_set(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\nSelector:\t{selector_text(spec.get('selector'))}\n"
    text += f"Node-Selector:\t{selector_text((spec['template'].get('spec') or {}).get('nodeSelector')) or '<none>'}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    for title, field in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        text += f"{title}: {status.get(field, 0)}\n"
    text += f"Pods Status:\t{pods_status(tree, around.pods)}\n" + template(spec["template"])
    return text + events(around.events, around.now)


def pods_status(tree: Tree, pods: list[Tree]) -> str:
    """How many of the pods that it controls are in which phase."""
    uid = tree["metadata"].get("uid")
    phases = [
        (pod.get("status") or {}).get("phase")
        for pod in pods
        if any(one.get("controller") and one["uid"] == uid for one in pod["metadata"].get("ownerReferences") or ())
    ]
    running, waiting, done, failed = (phases.count(phase) for phase in ("Running", "Pending", "Succeeded", "Failed"))
    return f"{running} Running / {waiting} Waiting / {done} Succeeded / {failed} Failed"
