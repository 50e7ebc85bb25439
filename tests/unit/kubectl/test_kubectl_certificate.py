"""Decisions on certificate signing requests."""

import pytest

from kubectl.commands.certificate import APPROVAL, DENIAL, decided
from kubectl.errors import CommandError

PENDING = {"metadata": {"name": "a"}, "spec": {}}


def test_a_decision_is_a_condition_with_its_reason() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#approval-rejection-kubectl"""
    tree = decided(PENDING, APPROVAL)
    assert tree is not None
    assert tree["status"]["conditions"] == [
        {
            "type": "Approved",
            "status": "True",
            "reason": "KubectlApprove",
            "message": "This CSR was approved by kubectl certificate approve.",
        }
    ]


def test_a_decision_is_written_once_and_its_opposite_is_refused() -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_certificate/"""
    tree = decided(PENDING, DENIAL)
    assert tree is not None
    assert decided(tree, DENIAL) is None
    with pytest.raises(CommandError, match='certificate signing request "a" is already Denied'):
        decided(tree, APPROVAL)
