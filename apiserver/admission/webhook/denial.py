"""Denial: the errors that a webhook's refusal or failure becomes for the client.

    refused      the Status of the webhook, code 400 unless it says more: `admission webhook "w" denied the request: why`
    not callable 500 `Internal error occurred: failed calling webhook "w": why`, unless the failure policy is Ignore
apiserver pkg/admission/plugin/webhook/errors/statuserror.go
"""

from kube.api.meta import Tree
from kube.api.status import BadRequest, InternalError, UnknownError

LEAST_CODE = 400


class Denied(UnknownError):
    """The webhook's own Status, with who denied it put before its message."""

    def __init__(self, webhook: str, status: Tree) -> None:
        given = status.get("code")
        code = given if isinstance(given, int) and given >= LEAST_CODE else LEAST_CODE
        self._status = denial(webhook, {**status, "code": code})
        super().__init__(self._status["message"], status.get("details"), code)

    def status(self) -> Tree:
        return self._status


class Uncallable(Exception):
    """The webhook could not be called, or did not answer as it should; the failure policy says what follows."""

    def __init__(self, webhook: str, why: str) -> None:
        super().__init__(f'failed calling webhook "{webhook}": {why}')


def denial(webhook: str, status: Tree) -> Tree:
    """The Status to answer with. Pure."""
    by = f'admission webhook "{webhook}" denied the request'
    why = status.get("message") or status.get("reason")
    tree: Tree = {"kind": "Status", "apiVersion": "v1", "metadata": {}, **status}
    if tree.get("status") in (None, "", "Success"):
        tree["status"] = "Failure"
    tree["message"] = f"{by}: {why}" if why else f"{by} without explanation"
    return tree


def internal(error: str) -> InternalError:
    """apimachinery NewInternalError: the cause is in the details, too."""
    return InternalError(f"Internal error occurred: {error}", {"causes": [{"message": error}]})


def no_dry_run(webhook: str) -> BadRequest:
    return BadRequest(f'admission webhook "{webhook}" does not support dry run')
