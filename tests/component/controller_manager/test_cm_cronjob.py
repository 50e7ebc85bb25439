"""CronJobs through a controller manager: what is due is started, unless something speaks against it.

A time is made due by telling an earlier last one in the status: no test waits for a minute to pass.
"""

import asyncio
from datetime import timedelta

import pytest

from kube.api.meta import Tree
from kube.api.types import CronJob, Event, Job
from kube.api.views import timestamp
from kube.component.clock import SystemClock
from tests.component.controller_manager.conftest import Cluster, at

TEMPLATE = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}}}


async def a_cronjob(cluster: Cluster, **spec: object) -> Tree:
    """Suspended, and due since two minutes."""
    metadata = {"name": "tick", "namespace": "default"}
    wanted = {"schedule": "* * * * *", "jobTemplate": TEMPLATE, "suspend": True, **spec}
    made = await cluster.client.create(CronJob, {"metadata": metadata, "spec": wanted})
    last = timestamp(SystemClock().now() - timedelta(minutes=2))
    return made | await cluster.client.patch(CronJob, at("tick"), {"status": {"lastScheduleTime": last}}, subresource="status")


async def resume(cluster: Cluster) -> None:
    await cluster.client.patch(CronJob, at("tick"), {"spec": {"suspend": False}})


async def a_running_job(cluster: Cluster, cronjob: Tree) -> None:
    """One of the CronJob's, of an earlier time."""
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": cronjob["metadata"]["uid"], "controller": True}
    job = await cluster.client.create(
        Job, {"metadata": {"name": "tick-1", "namespace": "default", "ownerReferences": [owner]}, "spec": TEMPLATE["spec"]}
    )
    active = [{"kind": "Job", "apiVersion": "batch/v1", "namespace": "default", "name": "tick-1", "uid": job["metadata"]["uid"]}]
    await cluster.client.patch(CronJob, at("tick"), {"status": {"active": active}}, subresource="status")


async def said(cluster: Cluster, reason: str) -> None:
    async def look() -> bool:
        return any(event.reason == reason for event in await cluster.client.list(Event, "default"))

    await cluster.until(look, f"an event {reason}")


async def active(cluster: Cluster, count: int) -> list[str]:
    async def look() -> list[str]:
        found = (await cluster.client.get(CronJob, "default", "tick")).status.active or []
        assert len(found) == count
        return [one.name or "" for one in found]

    names: list[str] = await cluster.until(look, f"{count} active jobs")
    return names


def test_a_reference_that_leads_nowhere_is_cleared(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Whoever may write the status may name a job without its name; the CronJob goes on.

    Rule: pkg/controller/cronjob, MissingJob
    """

    async def scenario() -> None:
        await a_cronjob(cluster)
        await cluster.client.patch(CronJob, at("tick"), {"status": {"active": [{}]}}, subresource="status")
        await cluster.start_and_settle()
        await said(cluster, "MissingJob")

        async def cleared() -> bool:
            return not (await cluster.client.get(CronJob, "default", "tick")).status.active

        await cluster.until(cleared, "no active job")

    runner.run(scenario())


def test_a_due_job_is_started_counted_and_told_of(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Not while the CronJob is suspended; beside those that run, where that is allowed.

    Conformance: [sig-apps] CronJob should schedule multiple jobs concurrently [Conformance]
    Conformance: [sig-apps] CronJob should not schedule jobs when suspended [Slow] [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        cronjob = await a_cronjob(cluster)
        await a_running_job(cluster, cronjob)
        await cluster.start_and_settle()
        assert len(await client.list(Job, "default")) == 1
        await resume(cluster)
        names = await active(cluster, 2)
        await said(cluster, "SuccessfulCreate")
        started = await client.get(Job, "default", names[1])
        assert "batch.kubernetes.io/cronjob-scheduled-timestamp" in (started.metadata.annotations or {})
        await client.patch(CronJob, at("tick"), {"spec": {"suspend": True}})
        now = timestamp(SystemClock().now())
        conditions = [{"type": one, "status": "True"} for one in ("SuccessCriteriaMet", "Complete")]
        ended = {"conditions": conditions, "startTime": now, "completionTime": now, "succeeded": 1}
        await client.patch(Job, at("tick-1"), {"status": ended}, subresource="status")
        await active(cluster, 1)
        await said(cluster, "SawCompletedJob")
        assert (await client.get(CronJob, "default", "tick")).status.lastSuccessfulTime is not None

    runner.run(scenario())


@pytest.mark.parametrize("policy", ["Forbid", "Replace"])
def test_a_running_job_forbids_the_next_or_gives_way(runner: asyncio.Runner, cluster: Cluster, policy: str) -> None:
    """By spec.concurrencyPolicy.

    Conformance: [sig-apps] CronJob should not schedule new jobs when ForbidConcurrent [Slow] [Conformance]
    Conformance: [sig-apps] CronJob should replace jobs when ReplaceConcurrent [Conformance]
    """

    async def scenario() -> None:
        cronjob = await a_cronjob(cluster, concurrencyPolicy=policy)
        await a_running_job(cluster, cronjob)
        await cluster.start_and_settle()
        await resume(cluster)
        if policy == "Forbid":
            await said(cluster, "JobAlreadyActive")
            assert await active(cluster, 1) == ["tick-1"]
            return

        async def replaced() -> bool:
            return "tick-1" not in await active(cluster, 1) and len(await cluster.client.list(Job, "default")) == 1

        await cluster.until(replaced, "another job in its place")

    runner.run(scenario())
