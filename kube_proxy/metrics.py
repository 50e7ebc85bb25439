"""kube-proxy's metrics, under upstream's names.

https://kubernetes.io/docs/reference/instrumentation/metrics/ · upstream pkg/proxy/metrics/metrics.go
"""

from prometheus_client import Counter, Gauge, Histogram

_SYNC_BUCKETS = tuple(0.001 * 2**power for power in range(15))

SYNC_SECONDS = Histogram("kubeproxy_sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", buckets=_SYNC_BUCKETS)
FULL_SYNC_SECONDS = Histogram(
    "kubeproxy_sync_full_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for full resyncs", buckets=_SYNC_BUCKETS
)
PARTIAL_SYNC_SECONDS = Histogram(
    "kubeproxy_sync_partial_proxy_rules_duration_seconds",
    "SyncProxyRules latency in seconds for partial resyncs",
    buckets=_SYNC_BUCKETS,
)
LAST_SYNC = Gauge("kubeproxy_sync_proxy_rules_last_timestamp_seconds", "The last time proxy rules were successfully synced")
LAST_QUEUED = Gauge("kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", "The last time a sync of proxy rules was queued")
ENDPOINT_CHANGES = Counter("kubeproxy_sync_proxy_rules_endpoint_changes", "Cumulative proxy rules Endpoint changes")
SERVICE_CHANGES = Counter("kubeproxy_sync_proxy_rules_service_changes", "Cumulative proxy rules Service changes")
SYNC_FAILURES = Counter("kubeproxy_sync_proxy_rules_nftables_sync_failures", "Cumulative proxy nftables sync failures")
FLOWS_FORGOTTEN = Counter("kubeproxy_conntrack_reconciler_deleted_entries", "Cumulative conntrack flows deleted", ("ip_family",))
PROGRAMMING_SECONDS = Histogram(
    "kubeproxy_network_programming_duration_seconds",
    "In Cluster Network Programming Latency in seconds",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300),
)
