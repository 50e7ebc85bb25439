"""kube-controller-manager's flags, under upstream's names.

https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
"""

from dataclasses import dataclass
from pathlib import Path

from kube.component.flags import Seconds, flag


@dataclass(frozen=True)
class Config:
    kubeconfig: str = flag("--kubeconfig", "", "Path to kubeconfig file with authorization and master location information.")
    master: str = flag("--master", "", "The address of the Kubernetes API server (overrides any value in kubeconfig).")
    controllers: tuple[str, ...] = flag(
        "--controllers", ("*",), "Controllers to enable: '*' all, 'foo' the one named foo, '-foo' all but foo."
    )
    leader_elect: bool = flag("--leader-elect", True, "Start a leader election client and gain leadership before working.")
    leader_elect_lease_duration: Seconds = flag(
        "--leader-elect-lease-duration", Seconds(15.0), "How long candidates wait for a leader that stopped renewing."
    )
    leader_elect_renew_deadline: Seconds = flag(
        "--leader-elect-renew-deadline", Seconds(10.0), "How long the leader tries to renew before it stops leading."
    )
    leader_elect_retry_period: Seconds = flag(
        "--leader-elect-retry-period", Seconds(2.0), "How long to wait between attempts at acquiring or renewing."
    )
    bind_address: str = flag("--bind-address", "0.0.0.0", "The IP address on which to listen for the --secure-port port.")
    secure_port: int = flag("--secure-port", 10257, "The port on which to serve HTTPS; 0 to not serve at all.")
    tls_cert_file: Path | None = flag("--tls-cert-file", None, "File containing the x509 certificate for HTTPS.")
    tls_private_key_file: Path | None = flag("--tls-private-key-file", None, "File containing the matching private key.")
    root_ca_file: Path | None = flag(
        "--root-ca-file", None, "The certificate authority that every namespace's kube-root-ca.crt holds; none: not published."
    )
    service_account_private_key_file: Path | None = flag(
        "--service-account-private-key-file", None, "The key that signs tokens in secrets made for them; none: they stay empty."
    )
    cluster_signing_cert_file: Path | None = flag(
        "--cluster-signing-cert-file", None, "The certificate authority that signs requests for certificates; none: nobody signs."
    )
    cluster_signing_key_file: Path | None = flag("--cluster-signing-key-file", None, "The key of --cluster-signing-cert-file.")
    cluster_signing_duration: Seconds = flag(
        "--cluster-signing-duration", Seconds(365 * 24 * 3600.0), "How long signed certificates last at most."
    )
    allocate_node_cidrs: bool = flag("--allocate-node-cidrs", False, "Should CIDRs for Pods be allocated to nodes.")
    cluster_cidr: str = flag("--cluster-cidr", "", "CIDR range for Pods in cluster; needs --allocate-node-cidrs.")
    service_cluster_ip_range: str = flag("--service-cluster-ip-range", "", "CIDR range for Services, kept out of the nodes'.")
    node_cidr_mask_size: int = flag("--node-cidr-mask-size", 24, "Mask size for node cidr in cluster.")
    node_monitor_grace_period: Seconds = flag(
        "--node-monitor-grace-period", Seconds(50.0), "How long a running node may be silent before it is marked unhealthy."
    )
    node_startup_grace_period: Seconds = flag(
        "--node-startup-grace-period", Seconds(60.0), "How long a starting node may be silent before it is marked unhealthy."
    )
    node_eviction_rate: float = flag("--node-eviction-rate", 0.1, "Nodes per second whose pods are evicted in a healthy zone.")
    secondary_node_eviction_rate: float = flag(
        "--secondary-node-eviction-rate", 0.01, "The same in an unhealthy zone; 0 where the cluster is small."
    )
    unhealthy_zone_threshold: float = flag("--unhealthy-zone-threshold", 0.55, "Share of not ready nodes of an unhealthy zone.")
    large_cluster_size_threshold: int = flag("--large-cluster-size-threshold", 50, "Up to so many nodes a cluster is small.")
    terminated_pod_gc_threshold: int = flag(
        "--terminated-pod-gc-threshold", 12500, "How many ended pods may exist before the oldest are deleted; 0 for any number."
    )
    disable_force_detach_on_timeout: bool = flag(
        "--disable-force-detach-on-timeout",
        False,
        "Never detach a volume that a node says it uses because the node has been unhealthy for long: its taint has to say so.",
    )
    pv_recycler_pod_template_filepath_hostpath: Path | None = flag(
        "--pv-recycler-pod-template-filepath-hostpath", None, "The pod that empties HostPath volumes; none: one of busybox."
    )
    pv_recycler_pod_template_filepath_nfs: Path | None = flag(
        "--pv-recycler-pod-template-filepath-nfs", None, "The pod that empties NFS volumes; none: one of busybox."
    )
    concurrent_deployment_syncs: int = flag("--concurrent-deployment-syncs", 5, "Deployments worked on at a time.")
    concurrent_replicaset_syncs: int = flag("--concurrent-replicaset-syncs", 5, "ReplicaSets worked on at a time.")
    concurrent_rc_syncs: int = flag("--concurrent-rc-syncs", 5, "ReplicationControllers worked on at a time.")
    concurrent_job_syncs: int = flag("--concurrent-job-syncs", 5, "Jobs worked on at a time.")
    concurrent_cron_job_syncs: int = flag("--concurrent-cron-job-syncs", 5, "CronJobs worked on at a time.")
    concurrent_daemonset_syncs: int = flag("--concurrent-daemonset-syncs", 2, "DaemonSets worked on at a time.")
    concurrent_statefulset_syncs: int = flag("--concurrent-statefulset-syncs", 5, "StatefulSets worked on at a time.")
    concurrent_endpoint_syncs: int = flag("--concurrent-endpoint-syncs", 5, "Endpoints worked on at a time.")
    concurrent_service_endpoint_syncs: int = flag(
        "--concurrent-service-endpoint-syncs", 5, "Services whose EndpointSlices are worked on at a time."
    )
    concurrent_namespace_syncs: int = flag("--concurrent-namespace-syncs", 10, "Namespaces worked on at a time.")
    concurrent_gc_syncs: int = flag("--concurrent-gc-syncs", 20, "Objects that the garbage collector works on at a time.")
    concurrent_ttl_after_finished_syncs: int = flag(
        "--concurrent-ttl-after-finished-syncs", 5, "Finished jobs worked on at a time."
    )
    v: int = flag("--v", 0, "Number for the log level verbosity.")
