"""Roles of the controllers, each bound to the service account of its name in kube-system."""

from apiserver.auth.rbac.policy.words import EVENTS, READ, account, cluster_binding, cluster_role, rule

APPS = "apps extensions"
EDIT = "create delete patch update"
SIGNERS = ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
CERTIFICATES = "certificates.k8s.io"

RULES = {
    "attachdetach-controller": (
        rule("list watch", "core", "persistentvolumeclaims persistentvolumes"), rule(READ, "core", "nodes"),
        rule("patch update", "core", "nodes/status"), rule("list watch", "core", "pods"), EVENTS,
        rule(f"create delete {READ}", "storage.k8s.io", "volumeattachments"), rule(READ, "storage.k8s.io", "csidrivers"),
        rule(READ, "storage.k8s.io", "csinodes"),
    ),
    "clusterrole-aggregation-controller": (
        rule(f"escalate patch update {READ}", "rbac.authorization.k8s.io", "clusterroles"),
    ),
    "cronjob-controller": (
        rule(f"update {READ}", "batch", "cronjobs"), rule(f"{EDIT} {READ}", "batch", "jobs"),
        rule("update", "batch", "cronjobs/status"), rule("update", "batch", "cronjobs/finalizers"),
        rule("delete list watch", "core", "pods"), EVENTS,
    ),
    "daemon-set-controller": (
        rule(READ, APPS, "daemonsets"), rule("update", APPS, "daemonsets/status"), rule("update", APPS, "daemonsets/finalizers"),
        rule("list watch", "core", "nodes"), rule("create delete list patch watch", "core", "pods"),
        rule("create", "core", "pods/binding"), rule(f"{EDIT} {READ}", "apps", "controllerrevisions"), EVENTS,
    ),
    "deployment-controller": (
        rule(f"update {READ}", APPS, "deployments"), rule("update", APPS, "deployments/status"),
        rule("update", APPS, "deployments/finalizers"), rule(f"{EDIT} {READ}", APPS, "replicasets"),
        rule(f"update {READ}", "core", "pods"), EVENTS,
    ),
    "disruption-controller": (
        rule(READ, APPS, "deployments"), rule(READ, APPS, "replicasets"), rule(READ, "core", "replicationcontrollers"),
        rule(READ, "policy", "poddisruptionbudgets"), rule(READ, "apps", "statefulsets"),
        rule("update", "policy", "poddisruptionbudgets/status"), rule("patch update", "core", "pods/status"),
        rule("get", "*", "*/scale"), EVENTS,
    ),
    "endpoint-controller": (
        rule(READ, "core", "pods services"), rule(f"create delete update {READ}", "core", "endpoints"),
        rule("create", "core", "endpoints/restricted"), EVENTS,
    ),
    "endpointslice-controller": (
        rule(READ, "core", "nodes pods services"), rule("update", "core", "services/finalizers"),
        rule(f"create delete update {READ}", "discovery.k8s.io", "endpointslices"), EVENTS,
    ),
    "endpointslicemirroring-controller": (
        rule(READ, "core", "endpoints services"), rule("update", "core", "services/finalizers"),
        rule("update", "core", "endpoints/finalizers"),
        rule(f"create delete update {READ}", "discovery.k8s.io", "endpointslices"), EVENTS,
    ),
    "ephemeral-volume-controller": (
        rule(READ, "core", "pods"), rule("update", "core", "pods/finalizers"),
        rule(f"create {READ}", "core", "persistentvolumeclaims"), EVENTS,
    ),
    "expand-controller": (
        rule(f"patch update {READ}", "core", "persistentvolumes"), rule("patch update", "core", "persistentvolumeclaims/status"),
        rule(READ, "core", "persistentvolumeclaims"), EVENTS, rule("get", "core", "services"),
    ),
    "generic-garbage-collector": (rule(f"delete patch update {READ}", "*", "*"), EVENTS),
    "horizontal-pod-autoscaler": (
        rule(READ, "autoscaling", "horizontalpodautoscalers"), rule("update", "autoscaling", "horizontalpodautoscalers/status"),
        rule("get update", "*", "*/scale"), rule("list watch", "core", "pods"), rule("list watch", "metrics.k8s.io", "pods"),
        rule(READ, "custom.metrics.k8s.io", "*"), rule(READ, "external.metrics.k8s.io", "*"), EVENTS,
    ),
    "job-controller": (
        rule(f"patch update {READ}", "batch", "jobs"), rule("update", "batch", "jobs/status"),
        rule("update", "batch", "jobs/finalizers"), rule("create delete list patch watch", "core", "pods"), EVENTS,
    ),
    "legacy-service-account-token-cleaner": (
        rule("get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"),
        rule("delete list patch watch", "core", "secrets"),
    ),
    "namespace-controller": (
        rule(f"delete {READ}", "core", "namespaces"), rule("update", "core", "namespaces/finalize namespaces/status"),
        rule("delete deletecollection get list", "*", "*"),
    ),
    "node-controller": (
        rule(f"delete patch update {READ}", "core", "nodes"), rule("patch update", "core", "nodes/status"),
        rule("patch update", "core", "pods/status"), rule(f"delete {READ}", "core", "pods"), EVENTS,
    ),
    "persistent-volume-binder": (
        rule(f"create delete update {READ}", "core", "persistentvolumes"), rule("update", "core", "persistentvolumes/status"),
        rule(f"update {READ}", "core", "persistentvolumeclaims"), rule("update", "core", "persistentvolumeclaims/status"),
        rule(f"create delete {READ}", "core", "pods"), rule(READ, "storage.k8s.io", "storageclasses"),
        rule("create delete get update", "core", "endpoints services"), rule("get list", "core", "secrets"),
        rule("get list", "core", "nodes"), rule("watch", "core", "events"), EVENTS,
    ),
    "pod-garbage-collector": (
        rule("delete list watch", "core", "pods"), rule("get list", "core", "nodes"), rule("patch", "core", "pods/status"),
    ),
    "pv-protection-controller": (rule(f"update {READ}", "core", "persistentvolumes"), EVENTS),
    "pvc-protection-controller": (
        rule(f"update {READ}", "core", "persistentvolumeclaims"), rule(READ, "core", "pods"), EVENTS,
    ),
    "replicaset-controller": (
        rule(f"update {READ}", APPS, "replicasets"), rule("update", APPS, "replicasets/status"),
        rule("update", APPS, "replicasets/finalizers"), rule("create delete list patch watch", "core", "pods"), EVENTS,
    ),
    "replication-controller": (
        rule(f"update {READ}", "core", "replicationcontrollers"), rule("update", "core", "replicationcontrollers/status"),
        rule("update", "core", "replicationcontrollers/finalizers"), rule("create delete list patch watch", "core", "pods"), EVENTS,
    ),
    "resource-claim-controller": (
        rule(READ, "core", "pods"), rule("update", "core", "pods/finalizers"),
        rule(f"create delete {READ}", "resource.k8s.io", "resourceclaims"),
        rule("patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"),
        rule("patch update", "core", "pods/status"), EVENTS,
    ),
    "resourcequota-controller": (rule("list watch", "*", "*"), rule("update", "core", "resourcequotas/status"), EVENTS),
    "root-ca-cert-publisher": (rule("create update", "core", "configmaps"), EVENTS),
    "route-controller": (rule("list watch", "core", "nodes"), rule("patch", "core", "nodes/status"), EVENTS),
    "service-account-controller": (rule("create", "core", "serviceaccounts"), EVENTS),
    "service-cidrs-controller": (
        rule(f"patch update {READ}", "networking.k8s.io", "servicecidrs"),
        rule("patch update", "networking.k8s.io", "servicecidrs/finalizers"),
        rule("patch update", "networking.k8s.io", "servicecidrs/status"),
        rule(READ, "networking.k8s.io", "ipaddresses"), EVENTS,
    ),
    "service-controller": (
        rule(READ, "core", "services"), rule("patch update", "core", "services/status"),
        rule("list watch", "core", "nodes"), EVENTS,
    ),
    "statefulset-controller": (
        rule("list watch", "core", "pods"), rule(READ, "apps", "statefulsets"), rule("update", "apps", "statefulsets/status"),
        rule("update", "apps", "statefulsets/finalizers"), rule("create delete get patch update", "core", "pods"),
        rule(f"{EDIT} {READ}", "apps", "controllerrevisions"), rule("create get", "core", "persistentvolumeclaims"), EVENTS,
        rule("delete update", "core", "persistentvolumeclaims"),
    ),
    "ttl-after-finished-controller": (rule(f"delete {READ}", "batch", "jobs"), EVENTS),
    "ttl-controller": (rule("list patch update watch", "core", "nodes"), EVENTS),
    "certificate-controller": (
        rule(f"delete {READ}", CERTIFICATES, "certificatesigningrequests"),
        rule("update", CERTIFICATES, "certificatesigningrequests/approval certificatesigningrequests/status"),
        rule("approve", CERTIFICATES, "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
        rule("sign", CERTIFICATES, "signers", " ".join(f"kubernetes.io/{one}" for one in SIGNERS)),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"), EVENTS,
    ),
    "validatingadmissionpolicy-status-controller": (
        rule(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
        rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"), EVENTS,
    ),
}  # fmt: skip

PREFIX = "system:controller:"
ROLES = tuple(cluster_role(PREFIX + name, *rules) for name, rules in RULES.items())
BINDINGS = tuple(cluster_binding(PREFIX + name, account(name)) for name in RULES)
