"""PodSecurity: a namespace's labels say which level its pods must keep to, and which only to warn of and to note.

    pod-security.kubernetes.io/enforce, -audit, -warn: privileged, baseline or restricted, and each with -version

A pod is looked at when it is made and when it changes in what matters; a template (deployment, job, ...) only leads to warnings.
A namespace whose level is raised is warned of pods that are there and break it. A label that says no level counts as restricted
for pods; it cannot be newly written. A version says as of when the level is meant; one that cannot be read counts as the newest.
https://kubernetes.io/docs/concepts/security/pod-security-admission/ · pod-security-admission admission/admission.go
"""

from typing import NamedTuple

from apiserver.admission.pod_security.standards import LEVELS, NEWEST, findings, told
from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import FieldError, InternalError, invalid, invalid_object, is_forbidden
from kube.api.types import Namespace, Pod

PREFIX = "pod-security.kubernetes.io/"
MODES = ("enforce", "audit", "warn")
TEMPLATES = {
    ("apps", "deployments"), ("apps", "replicasets"), ("apps", "statefulsets"), ("apps", "daemonsets"), ("batch", "jobs"),
    ("", "replicationcontrollers"),
}  # fmt: skip
MOST_PODS_TOLD = 3000
CHANGEABLE = ("image",)  # of a container; what else an update may change of a pod says nothing to the checks


class Policy(NamedTuple):
    """The three levels of a namespace, and their versions as they are written."""

    enforce: str
    audit: str
    warn: str
    versions: tuple[str, str, str]

    def minor(self, mode: int) -> int:
        version = self.versions[mode]
        return int(version[3:]) if version != "latest" and _is_version(version) else NEWEST


class PodSecurity:
    name = "PodSecurity"

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        row = attributes.resource
        what = (row.group, row.plural)
        if what == ("", "namespaces") and not attributes.subresource:
            _namespace(attributes, server)
        elif what == ("", "pods") and attributes.subresource in ("", "ephemeralcontainers", "resize"):
            _pod(attributes, server)
        elif not attributes.subresource and (what in TEMPLATES or what in (("batch", "cronjobs"), ("", "podtemplates"))):
            _template(attributes, server)


def policy_of(labels: Tree) -> Policy:
    """What the labels say. Pure."""
    levels = [labels.get(PREFIX + mode, "privileged") for mode in MODES]
    enforce, audit, warn = (level if level in LEVELS else "restricted" for level in levels)
    versions = tuple(labels.get(f"{PREFIX}{mode}-version", "latest") for mode in MODES)
    return Policy(enforce, audit, warn, (versions[0], versions[1], versions[2]))


def label_errors(labels: Tree) -> list[FieldError]:
    """Pure."""
    found = []
    for mode in MODES:
        level = labels.get(PREFIX + mode)
        if level is not None and level not in LEVELS:
            found.append(invalid(f"metadata.labels[{PREFIX}{mode}]", level, f"must be one of {', '.join(LEVELS)}"))
        version = labels.get(f"{PREFIX}{mode}-version")
        if version is not None and not _is_version(version):
            text = 'must be "latest" or "v1.x"'
            found.append(invalid(f"metadata.labels[{PREFIX}{mode}-version]", version, text))
    return found


def _is_version(text: str) -> bool:
    return text == "latest" or (text.startswith("v1.") and text[3:].isdecimal() and text[3:] == str(int(text[3:])))


def _namespace(attributes: AdmissionAttributes, server: Server) -> None:
    new, old = attributes.object, attributes.old
    if new is None:
        return
    labels = new["metadata"].get("labels") or {}
    before = ((old or {}).get("metadata") or {}).get("labels") or {}
    errors = [one for one in label_errors(labels) if one not in label_errors(before)]
    if errors:
        raise invalid_object("Namespace", "", attributes.name, errors)
    policy = policy_of(labels)
    was = policy_of(before)
    if old is None or policy.enforce == "privileged" or LEVELS.index(policy.enforce) <= LEVELS.index(was.enforce):
        return
    for text in _warnings_of_pods(attributes.name, policy, server):
        attributes.request.warn(text)


def _warnings_of_pods(namespace: str, policy: Policy, server: Server) -> list[str]:
    """What is said of pods that are there: one line for each complaint, with a pod that has it."""
    pods = server.stores.store_for(resource_of(Pod)).cached_list(namespace)[:MOST_PODS_TOLD]
    by_complaint: dict[str, list[str]] = {}
    for pod in pods:
        found = findings(policy.enforce, pod["metadata"], pod["spec"], policy.minor(0))
        if found:
            by_complaint.setdefault(", ".join(one.reason for one in found), []).append(pod["metadata"]["name"])
    if not by_complaint:
        return []
    level = f'"{policy.enforce}:{policy.versions[0]}"'
    head = f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level {level}'
    lines = []
    for complaint, names in sorted(by_complaint.items()):
        others = len(names) - 1
        more = f" (and {others} other pod{'s' if others > 1 else ''})" if others else ""
        lines.append(f"{sorted(names)[0]}{more}: {complaint}")
    return [head, *lines]


def _policy(attributes: AdmissionAttributes, server: Server) -> Policy:
    namespace = server.stores.store_for(resource_of(Namespace)).cached_entry(Key("", attributes.namespace))
    if namespace is None:
        raise InternalError(f'Internal error occurred: failed to lookup namespace "{attributes.namespace}"')
    return policy_of(namespace.metadata.labels or {})


def _pod(attributes: AdmissionAttributes, server: Server) -> None:
    pod, old = attributes.object, attributes.old
    if pod is None or attributes.operation not in ("CREATE", "UPDATE"):
        return
    policy = _policy(attributes, server)
    if policy[:3] == ("privileged",) * 3 or (old is not None and not attributes.subresource and _matters_not(pod, old)):
        return
    metadata, spec = pod["metadata"], pod["spec"]
    complaint = told(findings(policy.enforce, metadata, spec, policy.minor(0)))
    if complaint:
        level = f'"{policy.enforce}:{policy.versions[0]}"'
        raise is_forbidden("pods", "", attributes.said_name, f"violates PodSecurity {level}: {complaint}")
    _note(attributes, policy, metadata, spec)


def _template(attributes: AdmissionAttributes, server: Server) -> None:
    tree = attributes.object
    if tree is None or attributes.operation not in ("CREATE", "UPDATE"):
        return
    if attributes.resource.kind == "PodTemplate":
        template = tree.get("template") or {}
    elif attributes.resource.kind == "CronJob":
        template = (tree["spec"].get("jobTemplate") or {}).get("spec", {}).get("template") or {}
    else:
        template = tree["spec"].get("template") or {}
    if template.get("spec"):
        policy = _policy(attributes, server)
        _note(attributes, policy, template.get("metadata") or {}, template["spec"])


def _note(attributes: AdmissionAttributes, policy: Policy, metadata: Tree, spec: Tree) -> None:
    """Warn, and note for the audit."""
    warned = told(findings(policy.warn, metadata, spec, policy.minor(2)))
    if warned:
        attributes.request.warn(f'would violate PodSecurity "{policy.warn}:{policy.versions[2]}": {warned}')
    audit = attributes.request.audit
    if audit is not None:
        audit.annotate(f"{PREFIX}enforce-policy", f"{policy.enforce}:{policy.versions[0]}")
        noted = told(findings(policy.audit, metadata, spec, policy.minor(1)))
        if noted:
            audit.annotate(f"{PREFIX}audit-violations", f'would violate PodSecurity "{policy.audit}:{policy.versions[1]}": {noted}')


def _matters_not(new: Tree, old: Tree) -> bool:
    """Whether an update changes nothing that a check looks at: beside images, metadata and tolerations little may change."""
    annotations = [
        {key: value for key, value in (one["metadata"].get("annotations") or {}).items() if "apparmor" in key} for one in (new, old)
    ]
    return annotations[0] == annotations[1] and _essence(new["spec"]) == _essence(old["spec"])


def _essence(spec: Tree) -> Tree:
    """A pod's spec without what the checks do not read."""
    kept = {name: value for name, value in spec.items() if name not in ("tolerations", "activeDeadlineSeconds", "schedulingGates")}
    for group in ("containers", "initContainers", "ephemeralContainers"):
        if kept.get(group):
            kept[group] = [{name: value for name, value in one.items() if name not in CHANGEABLE} for one in kept[group]]
    return kept
