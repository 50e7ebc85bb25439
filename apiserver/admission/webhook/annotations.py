"""Annotations: what the audit log is told of webhooks — their own words, whether they changed something, whose failure was ignored.

The patch itself is told from the level Request on, as the objects are.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#mutating-webhook-auditing-annotations
"""

import orjson

from apiserver.admission.webhook.hooks import Hook
from apiserver.admission.webhook.review import Verdict
from apiserver.context import AdmissionAttributes

MUTATION = "mutation.webhook.admission.k8s.io"
PATCH = "patch.webhook.admission.k8s.io"
FAILED_OPEN = "failed-open.{}.webhook.admission.k8s.io"  # mutating, validating


def note_own(hook: Hook, attributes: AdmissionAttributes, found: Verdict) -> None:
    """The webhook's own."""
    for key, value in found.annotations.items():
        _note(attributes, f"{hook.name}/{key}", str(value))


def note_mutation(hook: Hook, attributes: AdmissionAttributes, index: int, found: Verdict, *, mutated: bool) -> None:
    place, who = _mutating_place(attributes, index), {"configuration": hook.configuration, "webhook": hook.name}
    _note(attributes, f"{MUTATION}/{place}", orjson.dumps({**who, "mutated": mutated}).decode())
    audit = attributes.request.audit
    if mutated and audit is not None and audit.keeps_objects:
        told = {**who, "patch": found.operations, "patchType": "JSONPatch"}
        audit.annotate(f"{PATCH}/{place}", orjson.dumps(told).decode())


def note_mutating_failed_open(hook: Hook, attributes: AdmissionAttributes, index: int) -> None:
    _note(attributes, f"{FAILED_OPEN.format('mutating')}/{_mutating_place(attributes, index)}", hook.name)


def note_validating_failed_open(hook: Hook, attributes: AdmissionAttributes, index: int) -> None:
    _note(attributes, f"{FAILED_OPEN.format('validating')}/round_0_index_{index}", hook.name)


def _mutating_place(attributes: AdmissionAttributes, index: int) -> str:
    return f"round_{int(attributes.reinvocation == 'again')}_index_{index}"


def _note(attributes: AdmissionAttributes, key: str, value: str) -> None:
    if attributes.request.audit is not None:
        attributes.request.audit.annotate(key, value)
