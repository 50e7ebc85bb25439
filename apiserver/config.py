"""Config: the flags of kube-apiserver, by upstream's names. A flag that is not here is refused.

Flags of upstream's manifests whose matter is not built are kept in ACCEPTED_WITHOUT_EFFECT, with the reason: they are taken so
that such manifests start, and named in the log each time.
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
"""

from dataclasses import dataclass
from pathlib import Path

from kube.component.flags import Seconds, flag


@dataclass(frozen=True)
class Config:
    """The API server: the one door to the cluster's state."""

    # serving
    bind_address: str = flag("--bind-address", "0.0.0.0", "The IP address on which to listen.")
    secure_port: int = flag("--secure-port", 6443, "The port on which to serve HTTPS.")
    advertise_address: str = flag("--advertise-address", "", "The IP address to tell to members of the cluster.")
    tls_cert_file: Path | None = flag("--tls-cert-file", None, "The server's x509 certificate.")
    tls_private_key_file: Path | None = flag("--tls-private-key-file", None, "The private key of --tls-cert-file.")
    request_timeout: Seconds = flag("--request-timeout", Seconds(60.0), "How long a request may take, save long-running ones.")
    max_requests_inflight: int = flag("--max-requests-inflight", 400, "How many reading requests at once; 0: no limit.")
    max_mutating_requests_inflight: int = flag(
        "--max-mutating-requests-inflight", 200, "How many changing requests at once; 0: no limit."
    )

    enable_priority_and_fairness: bool = flag(
        "--enable-priority-and-fairness", True, "Share the two limits above among priority levels; else they are plain limits."
    )

    shutdown_delay_duration: Seconds = flag(
        "--shutdown-delay-duration", Seconds(0.0), "How long to go on serving after SIGTERM, with /readyz failing."
    )

    worker_processes: int = flag(
        "--worker-processes", 0, "How many processes serve, sharing the port and the limits above; 0: one for each core, at most 4."
    )

    # storage
    etcd_servers: tuple[str, ...] = flag("--etcd-servers", ("http://127.0.0.1:2379",), "The etcd servers (scheme://ip:port).")
    etcd_cafile: Path | None = flag("--etcd-cafile", None, "The CA that signed etcd's certificates.")
    etcd_certfile: Path | None = flag("--etcd-certfile", None, "The client certificate for etcd.")
    etcd_keyfile: Path | None = flag("--etcd-keyfile", None, "The key of --etcd-certfile.")
    etcd_prefix: str = flag("--etcd-prefix", "/registry", "What all keys in etcd begin with.")
    etcd_compaction_interval: Seconds = flag(
        "--etcd-compaction-interval", Seconds(300.0), "How often old revisions are forgotten; 0: never."
    )
    event_ttl: Seconds = flag("--event-ttl", Seconds(3600.0), "How long events are kept.")

    # authentication
    client_ca_file: Path | None = flag("--client-ca-file", None, "The CA whose client certificates name users.")
    token_auth_file: Path | None = flag("--token-auth-file", None, "A file of bearer tokens: token,user,uid,groups.")
    anonymous_auth: bool = flag("--anonymous-auth", True, "Let requests that no authenticator rejects be anonymous.")
    service_account_issuer: str = flag(
        "--service-account-issuer", "https://kubernetes.default.svc.cluster.local", "The issuer of service account tokens."
    )
    service_account_key_file: tuple[Path, ...] = flag(
        "--service-account-key-file", (), "Public or private keys that verify service account tokens."
    )
    service_account_signing_key_file: Path | None = flag(
        "--service-account-signing-key-file", None, "The private key that signs service account tokens."
    )
    service_account_extend_token_expiration: bool = flag(
        "--service-account-extend-token-expiration",
        True,
        "Tokens mounted into pods count for a year, also for who never reads them anew.",
    )
    service_account_max_token_expiration: Seconds = flag(
        "--service-account-max-token-expiration", Seconds(0.0), "The longest life of a token that is asked for; 0: no limit."
    )
    authentication_token_webhook_config_file: Path | None = flag(
        "--authentication-token-webhook-config-file", None, "A kubeconfig of a server that knows bearer tokens."
    )
    authentication_token_webhook_version: str = flag(
        "--authentication-token-webhook-version", "v1beta1", "Of the TokenReview it gets."
    )
    authentication_token_webhook_cache_ttl: Seconds = flag(
        "--authentication-token-webhook-cache-ttl", Seconds(120.0), "How long its answers are remembered."
    )
    oidc_issuer_url: str = flag("--oidc-issuer-url", "", "The OpenID Connect issuer whose ID tokens name users; https.")
    oidc_client_id: str = flag("--oidc-client-id", "", "Whom its tokens must be issued for.")
    oidc_ca_file: Path | None = flag("--oidc-ca-file", None, "The CA that signed the issuer's certificate; none: the system's.")
    oidc_username_claim: str = flag("--oidc-username-claim", "sub", "The claim that is the user's name.")
    oidc_username_prefix: str = flag(
        "--oidc-username-prefix", "", "Before names; the issuer and # where none is given, - for none."
    )
    oidc_groups_claim: str = flag("--oidc-groups-claim", "", "The claim with the user's groups.")
    oidc_groups_prefix: str = flag("--oidc-groups-prefix", "", "Before the names of groups.")
    oidc_required_claim: tuple[str, ...] = flag("--oidc-required-claim", (), "key=value that a token must have.")
    oidc_signing_algs: tuple[str, ...] = flag("--oidc-signing-algs", ("RS256",), "The algorithms that tokens may be signed with.")
    enable_bootstrap_token_auth: bool = flag(
        "--enable-bootstrap-token-auth", False, "Take secrets of type bootstrap.kubernetes.io/token as tokens."
    )
    api_audiences: tuple[str, ...] = flag("--api-audiences", (), "The audiences of this API; the issuer where none is given.")
    requestheader_client_ca_file: Path | None = flag(
        "--requestheader-client-ca-file", None, "The CA of proxies whose headers name users."
    )
    requestheader_allowed_names: tuple[str, ...] = flag(
        "--requestheader-allowed-names", (), "The common names of such proxies; empty: any."
    )
    requestheader_username_headers: tuple[str, ...] = flag("--requestheader-username-headers", (), "Headers with the user's name.")
    requestheader_uid_headers: tuple[str, ...] = flag("--requestheader-uid-headers", (), "Headers with the user's uid.")
    requestheader_group_headers: tuple[str, ...] = flag("--requestheader-group-headers", (), "Headers with the user's groups.")
    requestheader_extra_headers_prefix: tuple[str, ...] = flag(
        "--requestheader-extra-headers-prefix", (), "Prefixes of headers with extra facts about the user."
    )

    # authorization, admission
    authorization_mode: tuple[str, ...] = flag("--authorization-mode", ("AlwaysAllow",), "The authorizers, in order.")
    authorization_webhook_config_file: Path | None = flag(
        "--authorization-webhook-config-file", None, "A kubeconfig of the server that decides in mode Webhook."
    )
    authorization_webhook_version: str = flag("--authorization-webhook-version", "v1beta1", "Of the SubjectAccessReview it gets.")
    authorization_webhook_cache_authorized_ttl: Seconds = flag(
        "--authorization-webhook-cache-authorized-ttl", Seconds(300.0), "How long its permissions are remembered."
    )
    authorization_webhook_cache_unauthorized_ttl: Seconds = flag(
        "--authorization-webhook-cache-unauthorized-ttl", Seconds(30.0), "How long its refusals are remembered."
    )
    enable_admission_plugins: tuple[str, ...] = flag("--enable-admission-plugins", (), "Admission plugins beside the usual ones.")
    disable_admission_plugins: tuple[str, ...] = flag("--disable-admission-plugins", (), "Admission plugins to leave out.")
    allow_privileged: bool = flag("--allow-privileged", False, "Allow privileged containers.")

    # audit
    audit_policy_file: Path | None = flag("--audit-policy-file", None, "What to record of requests; none: nothing is recorded.")
    audit_log_path: str = flag(
        "--audit-log-path", "", "The file to record to, - for the standard output; none: nothing is recorded."
    )
    audit_log_format: str = flag("--audit-log-format", "json", "The format of records; json is the only one.")
    audit_log_maxage: int = flag("--audit-log-maxage", 0, "How many days old files are kept; 0: for ever.")
    audit_log_maxbackup: int = flag("--audit-log-maxbackup", 0, "How many old files are kept; 0: all.")
    audit_log_maxsize: int = flag("--audit-log-maxsize", 0, "How many megabytes a file gets before the next; 0: 100.")

    # services, nodes
    service_cluster_ip_range: tuple[str, ...] = flag("--service-cluster-ip-range", ("10.0.0.0/24",), "Where cluster IPs come from.")
    service_node_port_range: str = flag("--service-node-port-range", "30000-32767", "Where node ports come from.")
    kubelet_client_certificate: Path | None = flag("--kubelet-client-certificate", None, "The certificate shown to kubelets.")
    kubelet_client_key: Path | None = flag("--kubelet-client-key", None, "The key of --kubelet-client-certificate.")
    kubelet_certificate_authority: Path | None = flag(
        "--kubelet-certificate-authority", None, "The CA that signed the kubelets' certificates; none: they are not verified."
    )
    kubelet_preferred_address_types: tuple[str, ...] = flag(
        "--kubelet-preferred-address-types",
        ("Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"),
        "Which of a node's addresses to call it by, in order.",
    )
    proxy_client_cert_file: Path | None = flag("--proxy-client-cert-file", None, "The certificate shown to aggregated API servers.")
    proxy_client_key_file: Path | None = flag("--proxy-client-key-file", None, "The key of --proxy-client-cert-file.")
    enable_aggregator_routing: bool = flag(
        "--enable-aggregator-routing", False, "Call webhooks and aggregated API servers at their endpoints, not their cluster IPs."
    )

    # accepted without effect
    profiling: bool = flag("--profiling", True, "Accepted without effect: use py-spy.")
    storage_backend: str = flag("--storage-backend", "etcd3", "Accepted without effect: etcd3 is the only one.")

    v: int = flag("--v", 0, "How much to log; from 4 on, details.", aliases=("-v",))


ACCEPTED_WITHOUT_EFFECT = {
    "allow_privileged": "privileged containers are allowed",
    "profiling": "py-spy looks into the running program without it",
    "storage_backend": "etcd3 is the only one",
}
