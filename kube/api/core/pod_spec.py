"""The pod spec's defaults: for pods and for every template of them.

kubernetes pkg/apis/core/v1/defaults.go · https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from kube.api.meta import Tree
from kube.api.volume_source import set_source_defaults

GRACE_SECONDS = 30
READ_ONLY_BY_OWNER = 0o644


def set_pod_spec_defaults(spec: Tree) -> None:
    """Fill what the API promises to be there."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", GRACE_SECONDS)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for container in spec.get("containers") or ():
        _set_container_defaults(container, spec)
    for container in spec.get("initContainers") or ():
        _set_container_defaults(container, spec)
    for container in spec.get("ephemeralContainers") or ():
        _set_container_defaults(container, spec)
    for volume in spec.get("volumes") or ():
        _set_volume_defaults(volume)


def set_template_defaults(template: Tree) -> None:
    """A pod template of a controller."""
    template.setdefault("metadata", {})
    set_pod_spec_defaults(template.setdefault("spec", {}))


def pull_policy(image: str) -> str:
    """Always for `latest` and for no tag, IfNotPresent otherwise; a digest counts as a tag."""
    name = image.rpartition("/")[2]
    if "@" in name:
        return "IfNotPresent"
    tag = name.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _set_container_defaults(container: Tree, spec: Tree) -> None:
    container.setdefault("imagePullPolicy", pull_policy(container.get("image") or ""))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("resources", {})
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if spec.get("hostNetwork") and port.get("containerPort"):
            port.setdefault("hostPort", port["containerPort"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name):
            _set_probe_defaults(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _set_http_defaults(hook.get("httpGet"))
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        if source.get("fieldRef"):
            source["fieldRef"].setdefault("apiVersion", "v1")
        if source.get("resourceFieldRef"):
            source["resourceFieldRef"].setdefault("divisor", "0")
    _set_request_defaults(container["resources"])


def _set_request_defaults(resources: Tree) -> None:
    """A limit without a request is also the request."""
    limits = resources.get("limits")
    if limits:
        requests = resources.setdefault("requests", {})
        for name, amount in limits.items():
            requests.setdefault(name, amount)


def _set_probe_defaults(probe: Tree) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    _set_http_defaults(probe.get("httpGet"))
    if probe.get("grpc"):
        probe["grpc"].setdefault("service", "")


def _set_http_defaults(get: Tree | None) -> None:
    if get is not None:
        get.setdefault("path", "/")
        get.setdefault("scheme", "HTTP")


def _set_volume_defaults(volume: Tree) -> None:
    if len(volume) <= 1:
        volume["emptyDir"] = {}  # a volume without a source
    for source in ("configMap", "secret", "downwardAPI", "projected"):
        if isinstance(volume.get(source), dict):
            volume[source].setdefault("defaultMode", READ_ONLY_BY_OWNER)
    set_source_defaults(volume)
    for items in ((volume.get("downwardAPI") or {}).get("items"), *_projected_items(volume)):
        for item in items or ():
            _set_downward_defaults(item)
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("serviceAccountToken"):
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    if volume.get("ephemeral", {}).get("volumeClaimTemplate"):
        volume["ephemeral"]["volumeClaimTemplate"].setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def _projected_items(volume: Tree) -> list[list[Tree] | None]:
    sources = (volume.get("projected") or {}).get("sources") or ()
    return [(source.get("downwardAPI") or {}).get("items") for source in sources]


def _set_downward_defaults(item: Tree) -> None:
    if item.get("fieldRef"):
        item["fieldRef"].setdefault("apiVersion", "v1")
    if item.get("resourceFieldRef"):
        item["resourceFieldRef"].setdefault("divisor", "0")
