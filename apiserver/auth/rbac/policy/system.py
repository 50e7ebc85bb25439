"""Roles of the cluster's own programs and of its nodes, and the roles that live in one namespace."""

from apiserver.auth.rbac.policy.words import (
    EVENTS,
    READ,
    WRITE,
    account,
    binding,
    cluster_binding,
    cluster_role,
    group,
    paths,
    role,
    rule,
    user,
)  # fmt: skip

CONTROLLER_MANAGER, SCHEDULER, PROXY = "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"
CERTIFICATES = "certificates.k8s.io"
SIGNERS = ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")

# What a node may do at all; which objects it may do it to is the node authorizer's matter.
NODE_RULES = (
    rule("create", "authentication.k8s.io", "tokenreviews"),
    rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
    rule(READ, "core", "services"),
    rule(f"create {READ}", "core", "nodes"),
    rule("patch update", "core", "nodes/status"),
    rule("patch update", "core", "nodes"),
    EVENTS,
    rule(READ, "core", "pods"),
    rule("create delete", "core", "pods"),
    rule("patch update", "core", "pods/status"),
    rule("create", "core", "pods/eviction"),
    rule(READ, "core", "configmaps secrets"),
    rule("get", "core", "persistentvolumeclaims persistentvolumes"),
    rule("get", "core", "endpoints"),
    rule(f"create {READ}", CERTIFICATES, "certificatesigningrequests"),
    rule("create delete get patch update", "coordination.k8s.io", "leases"),
    rule("get", "storage.k8s.io", "volumeattachments"),
    rule("create", "core", "serviceaccounts/token"),
    rule("get", "core", "serviceaccounts"),
    rule("get patch update", "core", "persistentvolumeclaims/status"),
    rule(READ, "storage.k8s.io", "csidrivers"),
    rule("create delete get patch update", "storage.k8s.io", "csinodes"),
    rule(READ, "node.k8s.io", "runtimeclasses"),
    rule("get", "resource.k8s.io", "resourceclaims"),
    rule(f"{READ} {WRITE}", "resource.k8s.io", "resourceslices"),
)

ROLES = (
    cluster_role("system:node", *NODE_RULES),
    cluster_role(
        "system:auth-delegator",
        rule("create", "authentication.k8s.io", "tokenreviews"),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ),
    cluster_role("system:kube-aggregator", rule(READ, "core", "endpoints services")),
    cluster_role(
        "system:kubelet-api-admin",
        rule(READ, "core", "nodes"),
        rule("proxy", "core", "nodes"),
        rule("*", "core", "nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats"),
    ),
    cluster_role("system:node-bootstrapper", rule(f"create {READ}", CERTIFICATES, "certificatesigningrequests")),
    cluster_role("system:node-problem-detector", rule("get", "core", "nodes"), rule("patch", "core", "nodes/status"), EVENTS),
    cluster_role(
        "system:node-proxier",
        rule("list watch", "core", "endpoints services"),
        rule(READ, "core", "nodes"),
        EVENTS,
        rule("list watch", "discovery.k8s.io", "endpointslices"),
        rule("list watch", "networking.k8s.io", "servicecidrs"),
    ),
    cluster_role("system:kube-dns", rule("list watch", "core", "endpoints services")),
    cluster_role(
        "system:heapster",
        rule(READ, "core", "events namespaces nodes pods"),
        rule(READ, "extensions", "deployments"),
    ),
    cluster_role(
        "system:persistent-volume-provisioner",
        rule(f"create delete {READ}", "core", "persistentvolumes"),
        rule(f"update {READ}", "core", "persistentvolumeclaims"),
        rule(READ, "storage.k8s.io", "storageclasses"),
        rule("watch", "core", "events"),
        EVENTS,
    ),
    cluster_role(
        "system:volume-scheduler",
        rule(f"patch update {READ}", "core", "persistentvolumes"),
        rule(READ, "storage.k8s.io", "storageclasses"),
        rule(f"patch update {READ}", "core", "persistentvolumeclaims"),
    ),
    cluster_role(
        SCHEDULER,
        EVENTS,
        rule("create", "coordination.k8s.io", "leases"),
        rule("get update", "coordination.k8s.io", "leases", "kube-scheduler"),
        rule(READ, "core", "nodes"),
        rule(f"delete {READ}", "core", "pods"),
        rule("create", "core", "bindings pods/binding"),
        rule("patch update", "core", "pods/status"),
        rule(READ, "core", "replicationcontrollers services"),
        rule(READ, "apps extensions", "replicasets"),
        rule(READ, "apps", "statefulsets"),
        rule(READ, "policy", "poddisruptionbudgets"),
        rule(READ, "core", "persistentvolumeclaims persistentvolumes"),
        rule("create", "authentication.k8s.io", "tokenreviews"),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        rule(READ, "storage.k8s.io", "csinodes"),
        rule(READ, "core", "namespaces"),
        rule(READ, "storage.k8s.io", "csidrivers"),
        rule(READ, "storage.k8s.io", "csistoragecapacities"),
        rule(READ, "resource.k8s.io", "deviceclasses"),
        rule(f"patch update {READ}", "resource.k8s.io", "resourceclaims"),
        rule("patch update", "resource.k8s.io", "resourceclaims/status"),
        rule(READ, "resource.k8s.io", "resourceslices"),
    ),
    cluster_role(
        CONTROLLER_MANAGER,
        EVENTS,
        rule("create", "coordination.k8s.io", "leases"),
        rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
        rule("create", "core", "secrets serviceaccounts"),
        rule("delete", "core", "secrets"),
        rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
        rule("update", "core", "secrets serviceaccounts"),
        rule("create", "authentication.k8s.io", "tokenreviews"),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        rule("list watch", "*", "*"),
        rule("create", "core", "serviceaccounts/token"),
    ),
    *(
        cluster_role(
            f"system:{CERTIFICATES}:certificatesigningrequests:{form}",
            rule("create", CERTIFICATES, f"certificatesigningrequests/{form}"),
        )
        for form in ("nodeclient", "selfnodeclient")
    ),
    *(
        cluster_role(
            f"system:{CERTIFICATES}:{signer}-approver",
            rule("approve", CERTIFICATES, "signers", f"kubernetes.io/{signer}"),
        )
        for signer in SIGNERS
    ),
    # Our own. Our controllers all speak as the controller manager, not each as its own service account, and write statuses by
    # patch: this is what upstream's documents ask to be granted then, the garbage collector's and namespaces' share of it all.
    cluster_role(
        "skiff:kube-controller-manager",
        rule(f"{READ} {WRITE}", "*", "*"),
        rule("escalate", "rbac.authorization.k8s.io", "clusterroles"),
        rule("approve sign", CERTIFICATES, "signers"),
        rule("finalize update", "core", "namespaces/finalize"),
        paths("/api /api/* /apis /apis/*"),
    ),
    # Our own. What a network add-on's service account may read upstream, the kubelets' pod network reads under a name of its own: a
    # kubelet itself sees no node and no pod but its own.
    cluster_role(
        "skiff:pod-network",
        rule("list watch", "core", "namespaces nodes pods"),
        rule("list watch", "networking.k8s.io", "networkpolicies"),
    ),
)  # fmt: skip

BINDINGS = (
    cluster_binding("cluster-admin", group("system:masters")),
    cluster_binding("system:monitoring", group("system:monitoring")),
    cluster_binding("system:discovery", group("system:authenticated")),
    cluster_binding("system:basic-user", group("system:authenticated")),
    cluster_binding("system:public-info-viewer", group("system:authenticated"), group("system:unauthenticated")),
    cluster_binding("system:node-proxier", user(PROXY)),
    cluster_binding(CONTROLLER_MANAGER, user(CONTROLLER_MANAGER)),
    cluster_binding("skiff:kube-controller-manager", user(CONTROLLER_MANAGER)),
    cluster_binding("skiff:pod-network", user("skiff:pod-network")),
    cluster_binding("system:kube-dns", account("kube-dns")),
    cluster_binding(SCHEDULER, user(SCHEDULER)),
    cluster_binding("system:volume-scheduler", user(SCHEDULER)),
    cluster_binding("system:node"),  # to nobody: nodes have the node authorizer
    cluster_binding("system:service-account-issuer-discovery", group("system:serviceaccounts")),
)

LOCKS = {"kube-controller-manager": CONTROLLER_MANAGER, "kube-scheduler": SCHEDULER}
SIGNER, CLEANER, CLOUD = (f"system:controller:{name}" for name in ("bootstrap-signer", "token-cleaner", "cloud-provider"))
READER = "extension-apiserver-authentication-reader"

NAMESPACE_ROLES = (
    role("kube-system", READER, rule(READ, "core", "configmaps", "extension-apiserver-authentication")),
    role("kube-system", SIGNER, rule(READ, "core", "secrets")),
    role("kube-system", CLOUD, rule(f"create {READ}", "core", "configmaps")),
    role("kube-system", CLEANER, rule(f"delete {READ}", "core", "secrets"), EVENTS),
    *(
        role("kube-system", f"system::leader-locking-{name}", rule("watch", "core", "configmaps"),
             rule("get update", "core", "configmaps", name))
        for name in LOCKS
    ),
    role("kube-public", SIGNER, rule(READ, "core", "configmaps"), rule("update", "core", "configmaps", "cluster-info"), EVENTS),
)  # fmt: skip

NAMESPACE_BINDINGS = (
    binding("kube-system", f"system::{READER}", user(CONTROLLER_MANAGER), user(SCHEDULER), role=READER),
    binding("kube-system", SIGNER, account("bootstrap-signer")),
    binding("kube-system", CLOUD, account("cloud-provider")),
    binding("kube-system", CLEANER, account("token-cleaner")),
    *(binding("kube-system", f"system::leader-locking-{name}", user(who), account(name)) for name, who in LOCKS.items()),
    binding("kube-public", SIGNER, account("bootstrap-signer")),
)
