"""Jobs that run, fail and succeed on a real node by their policies, and replicas that answer, as in the official suite."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import MANIFESTS, Cluster
from tests.e2e.test_pod_life import namespace
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]
DONE_SECONDS = 150
INDEX = "batch.kubernetes.io/job-completion-index"


def get(shell: Cluster, words: str) -> Any:
    return json.loads(shell.ok(f"kubectl get {words} -o json"))


def ended(shell: Cluster, name: str) -> Any:
    """The job's status, once it is complete or has failed; its conditions as type -> reason."""

    def look() -> Any:
        status = get(shell, f"job {name}")["status"]
        told = {one["type"]: one.get("reason") for one in status.get("conditions", ()) if one["status"] == "True"}
        assert {"Complete", "Failed"} & told.keys(), status
        return {**status, "conditions": told}

    return eventually_sync(look, DONE_SECONDS, name)


@pytest.fixture(scope="module")
def jobs(cluster: Cluster) -> Iterator[Cluster]:
    shell = namespace(cluster, "jobs")
    manifest = (MANIFESTS / "jobs-conformance.yaml").read_text().replace("HOST_DIRECTORY", str(cluster.state / "jobs"))
    shell.ok("kubectl create -f -", stdin=manifest)
    yield shell
    shell.ok("kubectl delete namespace jobs --wait=false")


def test_a_job_goes_on_over_pods_that_are_evicted(jobs: Cluster) -> None:
    """Rule: KEP-3329: Ignore, by the condition DisruptionTarget

    Conformance: [sig-apps] Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition [Conformance]
    """  # noqa: E501
    selector = "-l batch.kubernetes.io/job-name=disrupted"
    jobs.until(f"kubectl get pods {selector} -o jsonpath='{{.items[*].status.phase}}'", "Running Running", within=DONE_SECONDS)
    for pod in get(jobs, f"pods {selector}")["items"]:
        name = pod["metadata"]["name"]
        eventually_sync((jobs.state / "jobs" / pod["metadata"]["annotations"][INDEX]).exists, 20, "the marker of its first run")
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "jobs"}}
        jobs.ok(f"kubectl create --raw /api/v1/namespaces/jobs/pods/{name}/eviction -f -", stdin=json.dumps(eviction))
    status = ended(jobs, "disrupted")
    assert status["conditions"]["Complete"] == "CompletionsReached"
    assert (status["succeeded"], status.get("failed", 0)) == (2, 0)  # what is ignored is not counted


def test_jobs_end_by_what_their_pods_say(jobs: Cluster) -> None:
    """Rule: behaviour E.3, KEP-3329

    Conformance: [sig-apps] Job should run a job to completion when tasks sometimes fail and are locally restarted [Conformance]
    Conformance: [sig-apps] Job should allow to use the pod failure policy on exit code to fail the job early [Conformance]
    Conformance: [sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname [Conformance]
    """
    restarted = ended(jobs, "locally-restarted")
    assert (restarted["conditions"]["Complete"], restarted["succeeded"]) == ("CompletionsReached", 2)
    pods = get(jobs, "pods -l batch.kubernetes.io/job-name=locally-restarted")["items"]
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods] == [1, 1]
    assert ended(jobs, "fails-early")["conditions"]["Failed"] == "PodFailurePolicy"
    assert ended(jobs, "indexed")["completedIndexes"] == "0,1"
    said = jobs.ok("kubectl logs -l batch.kubernetes.io/job-name=indexed").splitlines()
    assert sorted(said) == ["0 indexed-0", "1 indexed-1"]
    indexes = [pod["metadata"]["annotations"][INDEX] for pod in get(jobs, "pods -l job-name=indexed")["items"]]
    assert sorted(indexes) == ["0", "1"]


def test_indexes_fail_on_their_own(jobs: Cluster) -> None:
    """Rule: KEP-3850

    Conformance: [sig-apps] Job should execute all indexes despite some failing when using backoffLimitPerIndex [Conformance]
    Conformance: [sig-apps] Job should mark indexes as failed when the FailIndex action is matched in podFailurePolicy [Conformance]
    Conformance: [sig-apps] Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes [Conformance]
    """  # noqa: E501
    per_index = ended(jobs, "per-index")
    assert per_index["conditions"] == {"FailureTarget": "FailedIndexes", "Failed": "FailedIndexes"}
    assert (per_index["failedIndexes"], per_index["completedIndexes"]) == ("1,3", "0,2")
    assert (per_index["failed"], per_index["succeeded"]) == (4, 2)
    fail_index = ended(jobs, "fail-index")
    assert (fail_index["conditions"]["Failed"], fail_index["failedIndexes"]) == ("FailedIndexes", "1")
    assert (fail_index["failed"], fail_index["succeeded"]) == (1, 1)
    assert ended(jobs, "max-failed")["conditions"]["Failed"] == "MaxFailedIndexesExceeded"


def test_a_job_is_done_when_its_success_policy_says_so(jobs: Cluster) -> None:
    """Rule: KEP-3998

    Conformance: [sig-apps] Job with successPolicy should succeeded when all indexes succeeded [Conformance]
    Conformance: [sig-apps] Job with successPolicy succeededIndexes rule should succeeded even when some indexes remain pending [Conformance]
    Conformance: [sig-apps] Job with successPolicy succeededCount rule should succeeded even when some indexes remain pending [Conformance]
    """  # noqa: E501
    both = {"SuccessCriteriaMet": "SuccessPolicy", "Complete": "SuccessPolicy"}
    assert ended(jobs, "all-succeed")["conditions"] == both
    for name in ("succeeded-indexes", "succeeded-count"):
        status = ended(jobs, name)
        assert (status["conditions"], status["completedIndexes"], status["succeeded"]) == (both, "0", 1)
        assert "active" not in status


def test_each_replica_answers(jobs: Cluster) -> None:
    """By the API server's proxy, from outside the pod network.

    Conformance: [sig-apps] ReplicaSet should serve a basic image on each replica with a public image [Conformance]
    Conformance: [sig-apps] ReplicationController should serve a basic image on each replica with a public image [Conformance]
    """
    for name in ("basic-rc", "basic-rs"):
        jobs.ok(f"kubectl wait --for=condition=Ready pod -l name={name} --timeout=60s", within=70)
        (pod,) = [one["metadata"]["name"] for one in get(jobs, f"pods -l name={name}")["items"]]
        assert jobs.ok(f"kubectl get --raw /api/v1/namespaces/jobs/pods/{pod}:80/proxy/hostname.html").strip() == pod
