"""describe job, cronjob, statefulset.

kubernetes/kubectl pkg/describe/describe.go describeJob, describeCronJob, describeStatefulSet
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.pod import template
from kubectl.describe.replicaset import pods_status
from kubectl.describe.words import annotations, controlled_by, events, labels, rfc1123, selector_text, spent


def job(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    if spec.get("selector"):
        text += f"Selector:\t{selector_text(spec['selector'])}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations")) + controlled_by(tree)
    text += f"Parallelism:\t{spec.get('parallelism', '<unset>')}\nCompletions:\t{spec.get('completions', '<unset>')}\n"
    text += "".join(_job_row(spec, title, name) for title, name in JOB_ROWS if spec.get(name) is not None)
    if status.get("startTime"):
        text += f"Start Time:\t{rfc1123(status['startTime'])}\n"
    if status.get("completionTime"):
        text += f"Completed At:\t{rfc1123(status['completionTime'])}\n"
    if status.get("startTime") and status.get("completionTime"):
        text += f"Duration:\t{spent(status['startTime'], status['completionTime'])}\n"
    if spec.get("activeDeadlineSeconds") is not None:
        text += f"Active Deadline Seconds:\t{spec['activeDeadlineSeconds']}s\n"
    active, ready, done, failed = (status.get(name) or 0 for name in ("active", "ready", "succeeded", "failed"))
    counted = f"{active} Active ({ready} Ready)" if "ready" in status else f"{active} Active"
    text += f"Pods Statuses:\t{counted} / {done} Succeeded / {failed} Failed\n"
    if spec.get("completionMode") == "Indexed":
        text += f"Completed Indexes:\t{status.get('completedIndexes') or '<none>'}\n"
    return text + template(spec["template"]) + events(around.events, around.now)


JOB_ROWS = (
    ("Completion Mode", "completionMode"),
    ("Suspend", "suspend"),
    ("Backoff Limit", "backoffLimit"),
    ("TTL Seconds After Finished", "ttlSecondsAfterFinished"),
)


def _job_row(spec: Tree, title: str, name: str) -> str:
    value = spec[name]
    return f"{title}:\t{str(value).lower() if isinstance(value, bool) else value}\n"


def cron_job(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    inner = spec["jobTemplate"]["spec"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Schedule:\t{spec['schedule']}\nConcurrency Policy:\t{spec.get('concurrencyPolicy', '')}\n"
    text += f"Suspend:\t{spec.get('suspend', False)}\nTime Zone:\t{spec.get('timeZone') or '<unset>'}\n"
    text += f"Successful Job History Limit:\t{spec.get('successfulJobsHistoryLimit', '<unset>')}\n"
    text += f"Failed Job History Limit:\t{spec.get('failedJobsHistoryLimit', '<unset>')}\n"
    deadline = spec.get("startingDeadlineSeconds")
    text += f"Starting Deadline Seconds:\t{'<unset>' if deadline is None else f'{deadline}s'}\n"
    text += f"Selector:\t{selector_text(inner.get('selector')) or '<unset>'}\n"
    text += f"Parallelism:\t{inner.get('parallelism', '<unset>')}\nCompletions:\t{inner.get('completions', '<unset>')}\n"
    if inner.get("activeDeadlineSeconds") is not None:
        text += f"Active Deadline Seconds:\t{inner['activeDeadlineSeconds']}s\n"
    text += template(inner["template"])
    last = status.get("lastScheduleTime")
    text += f"Last Schedule Time:\t{rfc1123(last) if last else '<unset>'}\n"
    text += f"Active Jobs:\t{', '.join(one['name'] for one in status.get('active') or ()) or '<none>'}\n"
    return text + events(around.events, around.now)


def stateful_set(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}\nSelector:\t{selector_text(spec.get('selector'))}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Service Name:\t{spec.get('serviceName', '')}\nPod Management Policy:\t{spec.get('podManagementPolicy', '')}\n"
    text += f"Replicas:\t{spec.get('replicas', 0)} desired | {status.get('replicas', 0)} total\n"
    strategy = spec.get("updateStrategy") or {}
    text += f"Update Strategy:\t{strategy.get('type', '')}\n"
    for title, name in (("Partition", "partition"), ("MaxUnavailable", "maxUnavailable")):
        if name in (strategy.get("rollingUpdate") or {}):
            text += f"  {title}:\t{strategy['rollingUpdate'][name]}\n"
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention:
        text += "Persistent Volume Claim Retention Policy:\n"
        text += f"  WhenDeleted:\t{retention.get('whenDeleted', '')}\n  WhenScaled:\t{retention.get('whenScaled', '')}\n"
    text += f"Pods Status:\t{pods_status(tree, around.pods)}\n" + template(spec["template"])
    return text + _claims(spec.get("volumeClaimTemplates") or []) + events(around.events, around.now)


def _claims(found: list[Tree]) -> str:
    if not found:
        return "Volume Claims:\t<none>\n"
    text = "Volume Claims:\n"
    for claim in found:
        metadata, spec = claim["metadata"], claim.get("spec") or {}
        size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
        text += f"  Name:\t{metadata['name']}\n  StorageClass:\t{spec.get('storageClassName') or ''}\n"
        text += labels("Labels", metadata.get("labels"), indent="  ") + annotations(metadata.get("annotations"), indent="  ")
        text += f"  Capacity:\t{size or '<default>'}\n  Access Modes:\t[{' '.join(spec.get('accessModes') or ())}]\n"
    return text
