"""The pod spec's defaults: for pods and for every template of them.

kubernetes pkg/apis/core/v1/defaults.go · https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

import re
from functools import lru_cache

from kube.api import pod_resources
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.types import PodSpec
from kube.api.views import lenient_view
from kube.api.volume_source import DEFAULTS as SOURCE_DEFAULTS
from kube.api.volume_source import set_source_defaults

GRACE_SECONDS = 30
# distribution/reference: [domain/]path[:tag][@digest]
_LABEL, _PART = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?:(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@{_DIGEST})?",
    re.ASCII,
)
_ID = re.compile("[a-f0-9]{64}")
READ_ONLY_BY_OWNER = 0o644
WITH_DEFAULTS = frozenset((*SOURCE_DEFAULTS, "configMap", "downwardAPI", "ephemeral", "image", "projected", "secret"))


def set_pod_spec_defaults(spec: Tree) -> None:
    """Fill what the API promises to be there."""
    fill(spec, restartPolicy="Always", dnsPolicy="ClusterFirst", schedulerName="default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", GRACE_SECONDS)
    spec.setdefault("securityContext", {})
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            _set_container_defaults(container)
    for volume in spec.get("volumes") or ():
        _set_volume_defaults(volume)


def set_pod_defaults(spec: Tree) -> None:
    """What a pod gets beyond what a template of it would: requests from limits, and the host's ports."""
    set_pod_spec_defaults(spec)
    spec.setdefault("enableServiceLinks", True)
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            _set_request_defaults(container["resources"])
            for port in (container.get("ports") or ()) if spec.get("hostNetwork") else ():
                if port.get("containerPort"):
                    fill(port, hostPort=port["containerPort"])
    if (spec.get("resources") or {}).get("limits"):
        _set_pod_request_defaults(spec)


def _set_pod_request_defaults(spec: Tree) -> None:
    """What the containers ask for together, and else the limit (KEP-2837)."""
    together = pod_resources.aggregated(lenient_view(PodSpec, spec), "requests")
    asked = {name: pod_resources.text(name, value) for name, value in together.items()}
    for name, amount in {**spec["resources"]["limits"], **asked}.items():
        if pod_resources.is_of_pods(name):
            spec["resources"].setdefault("requests", {}).setdefault(name, amount)


def set_template_defaults(template: Tree) -> None:
    """A pod template of a controller."""
    template.setdefault("metadata", {})
    set_pod_spec_defaults(template.setdefault("spec", {}))


@lru_cache(maxsize=1024)
def pull_policy(image: str) -> str:
    """Always for `latest`, and where there is neither a tag nor a digest; IfNotPresent otherwise, and for what is no reference."""
    if _REFERENCE.fullmatch(image) is None or _ID.fullmatch(image):
        return "IfNotPresent"
    name, _, digest = image.rpartition("/")[2].partition("@")
    tag = name.partition(":")[2] or ("" if digest else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def _set_container_defaults(container: Tree) -> None:
    fill(
        container,
        imagePullPolicy=pull_policy(container.get("image") or ""),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    container.setdefault("resources", {})
    for port in container.get("ports") or ():
        fill(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(name), dict):
            _set_probe_defaults(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _set_http_defaults(hook.get("httpGet"))
    for variable in container.get("env") or ():
        _set_downward_defaults(variable.get("valueFrom") or {})


def _set_request_defaults(resources: Tree) -> None:
    """A limit without a request is also the request."""
    limits = resources.get("limits")
    if limits:
        requests = resources.setdefault("requests", {})
        for name, amount in limits.items():
            requests.setdefault(name, amount)


def _set_probe_defaults(probe: Tree) -> None:
    fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    _set_http_defaults(probe.get("httpGet"))
    if probe.get("grpc"):
        probe["grpc"].setdefault("service", "")


def _set_http_defaults(get: Tree | None) -> None:
    if get is not None:
        fill(get, path="/", scheme="HTTP")


def _set_volume_defaults(volume: Tree) -> None:
    if volume.keys() <= {"name"}:
        volume["emptyDir"] = {}  # a volume without a source
    if WITH_DEFAULTS.isdisjoint(volume):
        return
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
    if isinstance(volume.get("image"), dict):
        fill(volume["image"], pullPolicy=pull_policy(volume["image"].get("reference") or ""))
    if volume.get("ephemeral", {}).get("volumeClaimTemplate"):
        volume["ephemeral"]["volumeClaimTemplate"].setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def _projected_items(volume: Tree) -> list[list[Tree] | None]:
    sources = (volume.get("projected") or {}).get("sources") or ()
    return [(source.get("downwardAPI") or {}).get("items") for source in sources]


def _set_downward_defaults(item: Tree) -> None:
    if item.get("fieldRef"):
        fill(item["fieldRef"], apiVersion="v1")
    if item.get("resourceFieldRef"):
        item["resourceFieldRef"].setdefault("divisor", "0")
