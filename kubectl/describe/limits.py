"""describe resourcequota, limitrange, poddisruptionbudget, priorityclass, horizontalpodautoscaler.

kubernetes/kubectl pkg/describe/describe.go
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.small import LIMITS, limit_rows
from kubectl.describe.words import annotations, events, labels, rfc1123, selector_text

SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being "
    "actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running pods whose "
    "container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed "
    "quality of service.",
}


def quota(tree: Tree, around: Around) -> str:
    metadata, status = tree["metadata"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    scopes = sorted(tree["spec"].get("scopes") or ())
    if scopes:
        text += f"Scopes:\t{', '.join(scopes)}\n"
        text += "".join(f" * {SCOPES[one]}\n" for one in scopes if one in SCOPES)
    hard, used = status.get("hard") or {}, status.get("used") or {}
    text += "Resource\tUsed\tHard\n--------\t----\t----\n"
    return text + "".join(f"{name}\t{used.get(name, '0')}\t{hard[name]}\n" for name in sorted(hard))


def limit_range(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    return text + "\t".join(LIMITS) + "\n" + "\t".join("-" * len(title) for title in LIMITS) + "\n" + limit_rows(tree, "")


def disruption_budget(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    if "minAvailable" in spec:
        text += f"Min available:\t{spec['minAvailable']}\n"
    elif "maxUnavailable" in spec:
        text += f"Max unavailable:\t{spec['maxUnavailable']}\n"
    text += f"Selector:\t{selector_text(spec.get('selector')) or '<unset>'}\nStatus:\n"
    for title, name in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        text += f"    {title}:\t{status.get(name, 0)}\n"
    return text + events(around.events, around.now)


def priority_class(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nValue:\t{tree.get('value', 0)}\n"
    text += f"GlobalDefault:\t{str(tree.get('globalDefault', False)).lower()}\n"
    text += f"PreemptionPolicy:\t{tree.get('preemptionPolicy', '')}\nDescription:\t{tree.get('description', '')}\n"
    return text + annotations(metadata.get("annotations")) + events(around.events, around.now)


def autoscaler(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    target = spec["scaleTargetRef"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}\nReference:\t{target['kind']}/{target['name']}\n"
    text += "Metrics:\t( current / target )\n"
    current = status.get("currentMetrics") or []
    for at, metric in enumerate(spec.get("metrics") or _of_v1(spec)):
        text += "  " + _metric(metric, current[at] if at < len(current) else {})
    text += f"Min replicas:\t{spec.get('minReplicas', '<unset>')}\nMax replicas:\t{spec.get('maxReplicas', 0)}\n"
    text += _behavior(spec.get("behavior") or {})
    text += f"{target['kind']} pods:\t{status.get('currentReplicas', 0)} current / {status.get('desiredReplicas', 0)} desired\n"
    conditions = status.get("conditions") or ()
    if conditions:
        text += "Conditions:\n  Type\tStatus\tReason\tMessage\n  ----\t------\t------\t-------\n"
        for one in conditions:
            text += f"  {one['type']}\t{one['status']}\t{one.get('reason', '')}\t{one.get('message', '')}\n"
    return text + events(around.events, around.now)


def _of_v1(spec: Tree) -> list[Tree]:
    """autoscaling/v1 knows one metric."""
    share = spec.get("targetCPUUtilizationPercentage")
    if share is None:
        return []
    return [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": share}}}]


def _metric(metric: Tree, current: Tree) -> str:
    """`resource cpu on pods  (as a percentage of request):\t5% (10m) / 50%`."""
    kind = metric["type"]
    field = kind[0].lower() + kind[1:]
    wanted, now = metric[field], (current.get(field) or {}).get("current") or {}
    goal = wanted.get("target") or {}
    if kind in ("Resource", "ContainerResource"):
        where = f' of container "{wanted["container"]}"' if kind == "ContainerResource" else ""
        name = f"resource {wanted['name']}{where} on pods"
        if "averageValue" in goal:
            return f"{name}:\t{now.get('averageValue', '<unknown>')} / {goal['averageValue']}\n"
        share = f"{now['averageUtilization']}% ({now.get('averageValue', '')})" if "averageUtilization" in now else "<unknown>"
        goal_share = f"{goal['averageUtilization']}%" if "averageUtilization" in goal else "<auto>"
        return f"{name}  (as a percentage of request):\t{share} / {goal_share}\n"
    name = f'"{wanted["metric"]["name"]}"'
    average = "averageValue" in goal
    shown = (
        f"{now.get('averageValue' if average else 'value', '<unknown>')} / {goal.get('averageValue' if average else 'value', '')}"
    )
    if kind == "Pods":
        return f"{name} on pods:\t{shown}\n"
    if kind == "Object":
        described = wanted["describedObject"]
        return f"{name} on {described['kind']}/{described['name']} (target {'average value' if average else 'value'}):\t{shown}\n"
    return f"{name} (target {'average value' if average else 'value'}):\t{shown}\n"


def _behavior(found: Tree) -> str:
    if not found:
        return ""
    text = "Behavior:\n"
    for title, name in (("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")):
        rules = found.get(name)
        if rules:
            text += f"  {title}:\n"
            if rules.get("stabilizationWindowSeconds") is not None:
                text += f"    Stabilization Window: {rules['stabilizationWindowSeconds']} seconds\n"
            text += f"    Select Policy: {rules.get('selectPolicy') or 'Max'}\n    Policies:\n"
            for one in rules.get("policies") or ():
                text += f"      - Type: {one['type']}\tValue: {one['value']}\tPeriod: {one['periodSeconds']} seconds\n"
    return text
