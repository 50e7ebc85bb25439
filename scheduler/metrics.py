"""The scheduler's metrics, under upstream's names.

https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "scheduler_schedule_attempts",
    "Number of attempts to schedule pods, by the result.",
    ("result", "profile"),
)
ATTEMPT_SECONDS = Histogram(
    "scheduler_scheduling_attempt_duration_seconds",
    "Scheduling attempt latency in seconds (scheduling algorithm + binding).",
    ("result", "profile"),
    buckets=tuple(0.001 * 2**power for power in range(15)),
)
ALGORITHM_SECONDS = Histogram(
    "scheduler_scheduling_algorithm_duration_seconds",
    "Scheduling algorithm latency in seconds.",
    buckets=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
)
POD_SECONDS = Histogram(
    "scheduler_pod_scheduling_sli_duration_seconds",
    "E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue.",
    ("attempts",),
    buckets=tuple(0.01 * 2**power for power in range(20)),
)
POD_ATTEMPTS = Histogram(
    "scheduler_pod_scheduling_attempts", "Number of attempts to successfully schedule a pod.", buckets=(1, 2, 4, 8, 16)
)
PENDING = Gauge("scheduler_pending_pods", "Number of pending pods, by the queue type.", ("queue",))
PREEMPTIONS = Counter("scheduler_preemption_attempts", "Total preemption attempts in the cluster till now.")
VICTIMS = Histogram("scheduler_preemption_victims", "Number of selected preemption victims.", buckets=(1, 2, 4, 8, 16, 32, 64))
MANY_ATTEMPTS = 16  # and more are told together


def attempted(result: str, profile: str, seconds: float) -> None:
    """An attempt came to its end."""
    ATTEMPTS.labels(result, profile).inc()
    ATTEMPT_SECONDS.labels(result, profile).observe(seconds)


def scheduled(attempts: int, seconds: float) -> None:
    """A pod has its node, so long after it was first seen."""
    POD_ATTEMPTS.observe(attempts)
    POD_SECONDS.labels(str(attempts) if attempts < MANY_ATTEMPTS else f"{MANY_ATTEMPTS}+").observe(seconds)
