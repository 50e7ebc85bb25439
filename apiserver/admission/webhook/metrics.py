"""Metrics of admission webhooks, by upstream's names.

https://kubernetes.io/docs/reference/instrumentation/metrics/ · apiserver pkg/admission/metrics/metrics.go
"""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10, 25)

DURATION = Histogram(
    "apiserver_admission_webhook_admission_duration_seconds",
    "Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and "
    "type (validate or admit).",
    ("name", "type", "operation", "rejected"),
    buckets=SECONDS,
)
REQUESTS = Counter(
    "apiserver_admission_webhook_request",
    "Admission webhook request total, identified by name and broken out for each admission type (validating or mutating) and "
    "operation. Additional labels specify whether the request was rejected or not and an HTTP status code.",
    ("name", "type", "operation", "code", "rejected"),
)
# Gauges, since these counters' names do not end as a Counter's would; they only grow.
REJECTIONS = Gauge(
    "apiserver_admission_webhook_rejection_count",
    "Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and "
    "operation. Additional labels specify an error type (calling_webhook_error or apiserver_internal_error if an error occurred; "
    "no_error otherwise) and optionally a non-zero rejection code if the webhook rejects the request with an HTTP status code.",
    ("name", "type", "operation", "error_type", "rejection_code"),
)
FAILED_OPEN = Gauge(
    "apiserver_admission_webhook_fail_open_count",
    "Admission webhook fail open count, identified by name and broken out for each admission type (validating or mutating).",
    ("name", "type"),
)
MAX_CODE = 600  # codes above are told as this one, as upstream
