"""The controller manager's metrics, under upstream's names; `name` is a controller's.

https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from prometheus_client import Gauge, Histogram

DEPTH = Gauge("workqueue_depth", "Current depth of workqueue", ("name",))
WORK_SECONDS = Histogram(
    "workqueue_work_duration_seconds",
    "How long in seconds processing an item from workqueue takes.",
    ("name",),
    buckets=(0.001, 0.01, 0.1, 1.0, 10.0),
)
