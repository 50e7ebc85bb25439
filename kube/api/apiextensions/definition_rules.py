"""Definition rules: what a CustomResourceDefinition may say beside its schemas, and what of it may not change.

What was stored before a rule is tolerated on updates while it stays as it is: the schema of a version is looked at when it changes.
https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from kube.api import names
from kube.api.apiextensions import schema_rules
from kube.api.apiextensions.version_rules import column_errors, selectable_field_errors, subresource_errors
from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.webhook_client import SERVICE_PORT, port_errors, service_path_errors, url_errors

SCOPES = ("Cluster", "Namespaced")
STRATEGIES = ("None", "Webhook")
REVIEW_VERSIONS = ("v1", "v1beta1")
APPROVAL = "api-approved.kubernetes.io"
APPROVAL_URL = "https://github.com/kubernetes/enhancements/pull/1111"
IMMUTABLE = "field is immutable"
ALIKE = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
_OF_VERSION = re.compile(rf"spec\.versions\[([0-9]+)\]\.({'|'.join(ALIKE)})(.*)", re.DOTALL)


def errors(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    """Of a definition, after its defaults were filled in."""
    yield from told_once(new, _errors(new, old))


def told_once(new: Tree, found: Iterable[FieldError]) -> Iterator[FieldError]:
    """Upstream keeps what all versions have alike once, above them, and tells of it there."""
    versions = (new.get("spec") or {}).get("versions") or []
    for error in found:
        place = _OF_VERSION.match(error.path)
        if place is None:
            yield error
            continue
        index, part, rest = place.groups()
        first = versions[0].get(part)
        alike = first is not None and all(one.get(part) == first for one in versions)
        rest = rest.replace(".jsonPath", ".JSONPath") if part == "additionalPrinterColumns" else rest
        if not alike:
            yield replace(error, path=f"spec.versions[{index}].{part}{rest}")
        elif index == "0":
            yield replace(error, path=f"spec.{ALIKE[part]}{rest}")


def _errors(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    spec = new.get("spec") or {}
    called = spec.get("names") or {}
    wanted = f"{called.get('plural') or ''}.{spec.get('group') or ''}"
    if new["metadata"].get("name") != wanted:
        yield invalid("metadata.name", new["metadata"].get("name") or "", 'must be spec.names.plural+"."+spec.group')
    yield from _group_errors(spec.get("group") or "")
    scope = spec.get("scope") or ""
    if not scope:
        yield required("spec.scope")
    elif scope not in SCOPES:
        yield unsupported("spec.scope", scope, SCOPES)
    if spec.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, text)
    yield from _versions_errors(spec.get("versions") or [], (old or {}).get("spec", {}).get("versions") or [])
    yield from _names_errors(called)
    yield from _conversion_errors(spec.get("conversion") or {}, "spec.conversion")
    yield from stored_versions_errors(new)
    yield from _approval_errors(new, old)
    if old is not None:
        yield from _immutable_errors(spec, old)


def status_errors(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    yield from stored_versions_errors(new)


def is_protected(group: str) -> bool:
    """Whether a group is Kubernetes' own."""
    return group.endswith((".k8s.io", ".kubernetes.io")) or group in ("k8s.io", "kubernetes.io")


def approval_of(annotations: Tree) -> tuple[str, str, str]:
    """Status, reason and message of the condition about the review of a protected group."""
    said = annotations.get(APPROVAL) or ""
    if not said:
        text = f'protected groups must have approval annotation "{APPROVAL}", see {APPROVAL_URL}'
        return "False", "MissingAnnotation", text
    if said.startswith("unapproved"):
        return "False", "UnapprovedAnnotation", f'not approved: "{said}"'
    parts = urlsplit(said)
    if parts.scheme and parts.netloc:
        return "True", "ApprovedAnnotation", f"approved in {said}"
    text = f'protected groups must have approval annotation "{APPROVAL}" with either a URL or a reason starting with "unapproved"'
    return "False", "InvalidAnnotation", f"{text}, see {APPROVAL_URL}"


def stored_versions_errors(new: Tree) -> Iterator[FieldError]:
    stored = (new.get("status") or {}).get("storedVersions") or []
    versions = new["spec"].get("versions") or []
    path = "status.storedVersions"
    if not stored:
        yield invalid(path, stored, "must have at least one stored version")
    known = [one.get("name") for one in versions]
    for index, name in enumerate(stored):
        if name not in known:
            yield invalid(f"{path}[{index}]", name, "must appear in spec.versions")
    storage = next((one.get("name") for one in versions if one.get("storage")), None)
    if storage is not None and stored and storage not in stored:
        yield invalid(path, stored, f"must have the storage version {storage}")


def _group_errors(group: str) -> Iterator[FieldError]:
    complaints = names.subdomain(group)
    if not group:
        yield required("spec.group")
    elif complaints:
        yield invalid("spec.group", group, ",".join(complaints))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _versions_errors(versions: Sequence[Tree], before: Sequence[Tree]) -> Iterator[FieldError]:
    known = {one.get("name"): one for one in before}
    for index, version in enumerate(versions):
        path, name = f"spec.versions[{index}]", version.get("name") or ""
        complaints = names.label1035(name)
        if complaints:
            yield invalid(f"{path}.name", name, ",".join(complaints))
        yield from _version_errors(version, known.get(name) or {}, path)
    called = [one.get("name") for one in versions]
    if len(set(called)) != len(called):
        yield invalid("spec.versions", list(versions), "must contain unique version names")
    if sum(bool(one.get("storage")) for one in versions) != 1:
        yield invalid("spec.versions", list(versions), "must have exactly one version marked as storage version")


def _version_errors(version: Tree, before: Tree, path: str) -> Iterator[FieldError]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    at = f"{path}.schema.openAPIV3Schema"
    if schema is None:
        yield required(at, "schemas are required")
    elif version.get("schema") != before.get("schema"):
        yield from schema_rules.errors(schema, at)
    if version.get("deprecationWarning") is not None and not version.get("deprecated"):
        yield invalid(f"{path}.deprecationWarning", version["deprecationWarning"], "can only be set for deprecated versions")
    yield from subresource_errors(version.get("subresources") or {}, f"{path}.subresources")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from column_errors(column, f"{path}.additionalPrinterColumns[{index}]")
    yield from selectable_field_errors(version.get("selectableFields") or (), schema or {}, f"{path}.selectableFields")


def _names_errors(called: Tree) -> Iterator[FieldError]:
    for field in ("plural", "singular", "kind", "listKind"):
        if not called.get(field):
            yield required(f"spec.names.{field}")
    for field in ("plural", "singular"):
        complaints = names.label1035(called.get(field) or "a")
        if complaints:
            yield invalid(f"spec.names.{field}", called[field], ",".join(complaints))
    for field in ("kind", "listKind"):
        complaints = names.label1035((called.get(field) or "a").lower())
        if complaints:
            text = "may have mixed case, but should otherwise match: " + ",".join(complaints)
            yield invalid(f"spec.names.{field}", called[field], text)
    if called.get("kind") and called.get("kind") == called.get("listKind"):
        yield invalid("spec.names.listKind", called["listKind"], "kind and listKind may not be the same")
    for field in ("shortNames", "categories"):
        for index, one in enumerate(called.get(field) or ()):
            complaints = names.label1035(one)
            if complaints:
                yield invalid(f"spec.names.{field}[{index}]", one, ",".join(complaints))


def _conversion_errors(conversion: Tree, path: str) -> Iterator[FieldError]:
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook")
    if not strategy:
        yield required(f"{path}.strategy")
    elif strategy not in STRATEGIES:
        yield unsupported(f"{path}.strategy", strategy, STRATEGIES)
    if strategy != "Webhook":
        for field, told in (("clientConfig", "webhookClientConfig"), ("conversionReviewVersions", "conversionReviewVersions")):
            if (webhook or {}).get(field):
                yield forbidden(f"{path}.{told}", "should not be set when strategy is not set to Webhook")
        return
    config = (webhook or {}).get("clientConfig")
    at = f"{path}.webhookClientConfig"
    if config is None:
        yield required(at, "required when strategy is set to Webhook")
    elif bool(config.get("url")) == bool(config.get("service")):
        yield required(at, "exactly one of url or service is required")
    elif config.get("url"):
        yield from url_errors(config["url"], f"{at}.url")
    else:
        yield from _service_errors(config["service"], f"{at}.service")
    yield from _review_errors((webhook or {}).get("conversionReviewVersions") or [], f"{path}.conversionReviewVersions")


def _service_errors(service: Tree, path: str) -> Iterator[FieldError]:
    for field in ("name", "namespace"):
        if not service.get(field):
            yield required(f"{path}.{field}", f"service {field} is required")
    yield from service_path_errors(service.get("path") or "", f"{path}.path")
    yield from port_errors(service.get("port", SERVICE_PORT), f"{path}.port")


def _review_errors(versions: Sequence[str], path: str) -> Iterator[FieldError]:
    if not versions:
        yield required(path)
        return
    for index, one in enumerate(versions):
        if one in versions[:index]:
            yield invalid(f"{path}[{index}]", one, "duplicate version")
        for complaint in names.label1035(one):
            yield invalid(f"{path}[{index}]", one, complaint)
    if not set(versions) & set(REVIEW_VERSIONS):
        yield invalid(path, list(versions), f"must include at least one of {', '.join(REVIEW_VERSIONS)}")


def _approval_errors(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    if not is_protected(new["spec"].get("group") or ""):
        return
    annotations = new["metadata"].get("annotations") or {}
    _, reason, text = approval_of(annotations)
    before = approval_of((old or new)["metadata"].get("annotations") or {})[1] if old is not None else ""
    if reason == before:
        return
    path = f"metadata.annotations[{APPROVAL}]"
    if reason == "MissingAnnotation":
        yield required(path, text)
    elif reason == "InvalidAnnotation":
        yield invalid(path, annotations.get(APPROVAL) or "", text)


def _immutable_errors(spec: Tree, old: Tree) -> Iterator[FieldError]:
    before, called = old["spec"], spec.get("names") or {}
    conditions = (old.get("status") or {}).get("conditions") or ()
    if any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions):
        if spec.get("scope") != before.get("scope"):
            yield invalid("spec.scope", spec.get("scope") or "", IMMUTABLE)
        if called.get("kind") != before["names"].get("kind"):
            yield invalid("spec.names.kind", called.get("kind") or "", IMMUTABLE)
    if spec.get("group") != before.get("group"):
        yield invalid("spec.group", spec.get("group") or "", IMMUTABLE)
    if called.get("plural") != before["names"].get("plural"):
        yield invalid("spec.names.plural", called.get("plural") or "", IMMUTABLE)
