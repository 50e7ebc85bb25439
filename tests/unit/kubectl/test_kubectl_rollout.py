"""Roll-outs: progress and history."""

from typing import Any

import pytest

from kubectl.errors import CommandError
from kubectl.rollout import Revision, earlier, history, progress, revisions, template_of


def a_deployment(
    wanted: int = 3, *, generation: int = 1, conditions: list[dict[str, Any]] | None = None, **status: int
) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "uid": "u", "generation": generation},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": 1, "conditions": conditions or [], **status},
    }


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (a_deployment(generation=2), "Waiting for deployment spec update to be observed..."),
        (
            a_deployment(replicas=4, updatedReplicas=1),
            'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
        ),
        (
            a_deployment(replicas=4, updatedReplicas=3),
            'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
        ),
        (
            a_deployment(replicas=3, updatedReplicas=3, availableReplicas=2),
            'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
        ),
        (a_deployment(replicas=3, updatedReplicas=3, availableReplicas=3), 'deployment "web" successfully rolled out'),
    ],
)
def test_deployment_progress_is_told_in_upstreams_words(tree: dict[str, Any], text: str) -> None:
    """Rule: kubernetes/kubectl pkg/polymorphichelpers/rollout_status.go"""
    assert progress(tree).text == text
    assert progress(tree).done == text.endswith("successfully rolled out")


def test_an_exceeded_deadline_is_an_error() -> None:
    tree = a_deployment(conditions=[{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}])
    with pytest.raises(CommandError, match='deployment "web" exceeded its progress deadline'):
        progress(tree)


def a_replica_set(number: int, image: str, cause: str = "", owner: str = "u") -> dict[str, Any]:
    annotations = {"deployment.kubernetes.io/revision": str(number), **({"kubernetes.io/change-cause": cause} if cause else {})}
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": f"web-{number}", "annotations": annotations, "ownerReferences": [{"uid": owner, "controller": True}]},
        "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}}, "spec": {"image": image}}},
    }


def test_history_lists_own_revisions_oldest_first() -> None:
    kept = [a_replica_set(3, "c"), a_replica_set(1, "a", "first"), a_replica_set(2, "b", owner="other")]
    found = revisions(a_deployment(), kept)
    assert [one.number for one in found] == [1, 3]
    assert history(found) == "REVISION  CHANGE-CAUSE\n1         first\n3         <none>\n"


def test_undo_goes_to_the_last_but_one_or_the_one_asked_for() -> None:
    found = revisions(a_deployment(), [a_replica_set(number, "x") for number in (1, 2, 3)])
    assert earlier(a_deployment(), found, 0).number == 2
    assert earlier(a_deployment(), found, 1).number == 1
    with pytest.raises(CommandError, match="unable to find specified revision 9 in history"):
        earlier(a_deployment(), found, 9)
    with pytest.raises(CommandError, match='no rollout history found for deployment "web"'):
        earlier(a_deployment(), found[:1], 0)


def test_a_template_comes_back_without_its_hash() -> None:
    revision = Revision(1, a_replica_set(1, "a"))
    assert template_of(revision) == {"metadata": {"labels": {"app": "web"}}, "spec": {"image": "a"}}
