"""Roles for people and for programs of the users: cluster-admin, admin, edit, view, and what everybody may see."""

from apiserver.auth.rbac.policy.words import READ, WRITE, aggregated_role, cluster_role, paths, rule

TO_ADMIN, TO_EDIT, TO_VIEW = (f"rbac.authorization.k8s.io/aggregate-to-{name}" for name in ("admin", "edit", "view"))
WORKLOADS = "daemonsets deployments deployments/rollback deployments/scale"
SCALED = "replicasets replicasets/scale"

ROLES = (
    cluster_role("cluster-admin", rule("*", "*", "*"), paths("*", "*")),
    aggregated_role("admin", TO_ADMIN),
    aggregated_role("edit", TO_EDIT, {TO_ADMIN: "true"}),
    aggregated_role("view", TO_VIEW, {TO_EDIT: "true"}),
    cluster_role(
        "system:aggregate-to-admin",
        rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
        rule(f"{READ} {WRITE}", "rbac.authorization.k8s.io", "rolebindings roles"),
        labels={TO_ADMIN: "true"},
    ),
    cluster_role(
        "system:aggregate-to-edit",
        rule(READ, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
        rule("impersonate", "core", "serviceaccounts"),
        rule(WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
        rule("create", "core", "pods/eviction"),
        rule(WRITE, "core", "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
             "serviceaccounts services services/proxy"),
        rule("create", "core", "serviceaccounts/token"),
        rule(WRITE, "apps", f"{WORKLOADS} {SCALED} statefulsets statefulsets/scale"),
        rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
        rule(WRITE, "batch", "cronjobs jobs"),
        rule(WRITE, "extensions", f"{WORKLOADS} ingresses networkpolicies {SCALED} replicationcontrollers/scale"),
        rule(WRITE, "policy", "poddisruptionbudgets"),
        rule(WRITE, "networking.k8s.io", "ingresses networkpolicies"),
        rule(f"{READ} {WRITE}", "coordination.k8s.io", "leases"),
        rule(WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
        labels={TO_EDIT: "true"},
    ),
    cluster_role(
        "system:aggregate-to-view",
        rule(READ, "core", "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods "
             "replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status"),
        rule(READ, "core", "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
             "resourcequotas resourcequotas/status"),
        rule(READ, "core", "namespaces"),
        rule(READ, "discovery.k8s.io", "endpointslices"),
        rule(READ, "apps", "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
             "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status"),
        rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
        rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
        rule(READ, "extensions", "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses "
             "ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale"),
        rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
        rule(READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
        rule(READ, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
        labels={TO_VIEW: "true"},
    ),
    cluster_role(
        "system:discovery",
        paths("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"),
    ),
    cluster_role("system:public-info-viewer", paths("/healthz /livez /readyz /version /version/")),
    cluster_role(
        "system:basic-user",
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ),
    cluster_role(
        "system:monitoring",
        paths("/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*"),
    ),
    cluster_role(
        "system:service-account-issuer-discovery",
        paths("/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/"),
    ),
)  # fmt: skip
