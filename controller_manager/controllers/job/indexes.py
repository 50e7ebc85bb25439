"""Indexes of an Indexed job: which pod has which, which are done, which are missing. Pure.

Completed indexes are written compressed: `1,3-5,7`.
https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode · pkg/controller/job/indexed_job_utils.go
"""

from collections.abc import Iterable

from controller_manager.controllers.job.accounting import FINALIZER
from controller_manager.whole_number import whole_number
from kube.api.meta import Tree
from kube.api.types import Job, Pod

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
ENV = "JOB_COMPLETION_INDEX"


def indexed(job: Job) -> bool:
    return job.spec.completionMode == "Indexed"


def index_of(pod: Pod) -> int | None:
    return whole_number((pod.metadata.annotations or {}).get(INDEX, ""))


def failures_of(pod: Pod) -> int:
    """How often the pod's index had failed before it."""
    return whole_number((pod.metadata.annotations or {}).get(FAILURES, "")) or 0


def parse(text: str | None) -> set[int]:
    found: set[int] = set()
    for part in (text or "").split(","):
        first, _, last = part.partition("-")
        if first:
            found.update(range(int(first), int(last or first) + 1))
    return found


def compress(indexes: Iterable[int]) -> str:
    """`0-3,5`; two neighbours are written `0,1`."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(_run(first, last) for first, last in runs)


def missing(job: Job, done: set[int], pods: Iterable[Pod], count: int) -> list[int]:
    """The lowest indexes that need a pod, up to `count` of them. `done`: completed or given up; `pods`: the active ones."""
    busy = {index_of(pod) for pod in pods}
    free = (index for index in range(job.spec.completions or 0) if index not in done and index not in busy)
    return [index for index, _ in zip(free, range(count), strict=False)]


def dress(job: Job, tree: Tree, index: int, failures: int) -> Tree:
    """A pod with its index: in its name, hostname, label, annotation and environment."""
    metadata, spec = tree["metadata"], tree["spec"]
    text = str(index)
    metadata["generateName"] = f"{job.metadata.name}-{index}-"
    metadata["annotations"] = {**metadata.get("annotations", {}), INDEX: text}
    if job.spec.backoffLimitPerIndex is not None:
        metadata["annotations"][FAILURES] = str(failures)
    metadata["labels"] = {**metadata.get("labels", {}), INDEX: text}
    spec["hostname"] = f"{job.metadata.name}-{index}"
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        env = container.get("env") or []
        if all(one["name"] != ENV for one in env):
            container["env"] = [*env, {"name": ENV, "valueFrom": source}]
    return tree


def track(tree: Tree) -> Tree:
    """A pod with the finalizer that keeps it until it is counted."""
    metadata = tree["metadata"]
    metadata["finalizers"] = [*metadata.get("finalizers", []), FINALIZER]
    return tree


def _run(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"
