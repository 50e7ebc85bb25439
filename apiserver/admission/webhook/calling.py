"""Calling: one webhook and one request — whether it applies, in which version it sees the objects, and what it answers.

apiserver pkg/admission/plugin/webhook/generic/webhook.go, predicates/namespace/matcher.go
"""

import time
import uuid

from apiserver.admission.expression import match_conditions
from apiserver.admission.matching import request
from apiserver.admission.matching.versions import converted
from apiserver.admission.webhook import annotations, metrics
from apiserver.admission.webhook.denial import Denied, Uncallable, no_dry_run
from apiserver.admission.webhook.hooks import Hook
from apiserver.admission.webhook.review import BadAnswer, Objects, Undecoded, Verdict, chosen_version, review, verdict
from apiserver.context import AdmissionAttributes, Server
from apiserver.webhooks.client import CallFailed, call
from kube.api.resource import Resource
from kube.api.status import ApiError

ADMIT, VALIDATE = "admit", "validating"  # the types in the metrics' labels
SIDE_EFFECTS_ALLOWED = ("None", "NoneOnDryRun")


async def row_for(hook: Hook, attributes: AdmissionAttributes, server: Server) -> Resource | None:
    """The version in which the webhook is asked about this request; None: it is not asked. Raises what its conditions refuse."""
    row = request.row_for(hook, attributes, server)
    if row is None or not hook.match_conditions:
        return row
    objects = await in_version(attributes, row, server)
    met = await match_conditions.met(
        hook.match_conditions, attributes, row, objects.object, objects.old, server, ignores_failure=hook.ignores_failure
    )
    return row if met else None


async def in_version(attributes: AdmissionAttributes, row: Resource, server: Server) -> Objects:
    """The request's objects in the version of `row`."""
    asked = attributes.resource
    new = await converted(attributes.object, asked, row, server)
    return Objects(row, new, await converted(attributes.old, asked, row, server))


async def ask(hook: Hook, attributes: AdmissionAttributes, row: Resource, server: Server, kind: str) -> tuple[Verdict, Objects]:
    """Call the webhook: its verdict, and what it was shown. Raises Denied, BadRequest on a dry run, and Uncallable."""
    if attributes.dry_run and hook.side_effects not in SIDE_EFFECTS_ALLOWED:
        raise no_dry_run(hook.name)
    objects = await in_version(attributes, row, server)
    began = time.monotonic()
    code, rejected = 200, False
    try:
        found = await _called(hook, attributes, objects, server, mutating=kind == ADMIT)
        annotations.note_own(hook, attributes, found)
        for text in found.warnings:
            attributes.request.warn(text)
        if not found.allowed:
            raise Denied(hook.name, found.status)
        return found, objects
    except Denied as error:
        code, rejected = error.actual_code, True
        _count_rejection(hook, attributes, kind, "no_error", code)
        raise
    except Uncallable:
        code, rejected = 500, not hook.ignores_failure
        if hook.ignores_failure:
            metrics.FAILED_OPEN.labels(hook.name, kind).inc()
        else:
            _count_rejection(hook, attributes, kind, "calling_webhook_error", 0)
        raise
    finally:
        seconds = time.monotonic() - began
        told = "true" if rejected else "false"
        metrics.DURATION.labels(hook.name, kind, attributes.operation, told).observe(seconds)
        metrics.REQUESTS.labels(hook.name, kind, attributes.operation, str(min(code, metrics.MAX_CODE)), told).inc()


async def _called(hook: Hook, attributes: AdmissionAttributes, objects: Objects, server: Server, *, mutating: bool) -> Verdict:
    try:
        version = chosen_version(list(hook.versions))
    except BadAnswer as error:
        raise Uncallable(hook.name, str(error)) from None
    uid = str(uuid.uuid4())
    body = review(attributes, objects, uid, version)
    try:
        answer = await call(server, hook.client_config, body, timeout_seconds=hook.timeout_seconds, name=hook.name)
    except CallFailed as error:
        raise Uncallable(hook.name, f"failed to call webhook: {error}") from None
    try:
        return verdict(answer, uid, version, mutating=mutating)
    except Undecoded as error:
        raise Uncallable(hook.name, f"failed to call webhook: {error}") from None
    except BadAnswer as error:
        raise Uncallable(hook.name, f"received invalid webhook response: {error}") from None


def count_internal_error(hook: Hook, attributes: AdmissionAttributes, kind: str, error: ApiError) -> None:
    """The webhook answered, but what it wants cannot be done."""
    _count_rejection(hook, attributes, kind, "apiserver_internal_error", error.code)


def _count_rejection(hook: Hook, attributes: AdmissionAttributes, kind: str, error_type: str, code: int) -> None:
    metrics.REJECTIONS.labels(hook.name, kind, attributes.operation, error_type, str(min(code, metrics.MAX_CODE))).inc()
