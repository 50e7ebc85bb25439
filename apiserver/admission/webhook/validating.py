"""ValidatingAdmissionWebhook: webhooks that may refuse — all are asked at once, about the object as it will be stored.

All are waited for; where several refuse, the first in order is told.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
apiserver pkg/admission/plugin/webhook/validating/dispatcher.go
"""

import asyncio

from apiserver.admission.matching.request import is_exempt
from apiserver.admission.webhook import annotations, calling
from apiserver.admission.webhook.calling import VALIDATE
from apiserver.admission.webhook.denial import Uncallable, internal
from apiserver.admission.webhook.hooks import Hook, Hooks
from apiserver.context import AdmissionAttributes, Server
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.types import ValidatingWebhookConfiguration
from kube.component.logging import get_logger

log = get_logger(__name__)


class ValidatingWebhook:
    name = "ValidatingAdmissionWebhook"

    def __init__(self) -> None:
        self._hooks = Hooks(resource_of(ValidatingWebhookConfiguration))

    def idle(self, server: Server) -> bool:
        return not self._hooks.current(server)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        hooks = self._hooks.current(server)
        if not hooks or is_exempt(attributes):
            return
        chosen = [(hook, row) for hook in hooks if (row := await calling.row_for(hook, attributes, server)) is not None]
        answers = await asyncio.gather(
            *(_asked(hook, attributes, row, server, index) for index, (hook, row) in enumerate(chosen)), return_exceptions=True
        )  # fmt: skip
        for failure in answers:
            if failure is not None:
                raise failure


async def _asked(hook: Hook, attributes: AdmissionAttributes, row: Resource, server: Server, index: int) -> None:
    """Raises what refuses the request."""
    try:
        await calling.ask(hook, attributes, row, server, VALIDATE)
    except Uncallable as error:
        if not hook.ignores_failure:
            raise internal(str(error)) from None
        log.warning("failed calling webhook, failing open", webhook=hook.name, reason=error)
        annotations.note_validating_failed_open(hook, attributes, index)
