"""Discovery on the real API server: every row of the table comes back as it is."""

import asyncio

from kube.api.resources import RESOURCES
from kube.api.types import APIService
from kube.client.discovery import AGGREGATED, discover
from kube.client.rest import Client
from tests.wait import eventually


def test_what_is_discovered_is_what_is_served(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery"""
    found = {(row.api_version, row.plural): row for row in runner.run(discover(client)).resources}
    assert len(found) >= len(RESOURCES)
    for row in RESOURCES:
        seen = found[(row.api_version, row.plural)]
        assert (seen.kind, seen.namespaced, seen.singular_name) == (row.kind, row.namespaced, row.singular_name)
        assert set(seen.short_names) == set(row.short_names)
        assert set(seen.verbs) == set(row.verbs)
        assert set(row.subresources) <= set(seen.subresources)


def test_a_version_whose_server_is_away_hides_no_other(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery (freshness)"""

    async def scenario() -> None:
        spec = {
            "group": "away.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
            "insecureSkipTLSVerify": True, "service": {"namespace": "default", "name": "nobody"},
        }  # fmt: skip
        await client.create(APIService, {"metadata": {"name": "v1.away.example.com"}, "spec": spec})

        async def told() -> bool:
            tree = (await client.request("GET", "/apis", headers={"Accept": AGGREGATED})).tree()
            return "away.example.com" in {group["metadata"].get("name") for group in tree["items"]}

        await eventually(told, 10, "the group in the discovery document")
        found = await discover(client)
        assert {(row.api_version, row.plural) for row in RESOURCES} <= {(row.api_version, row.plural) for row in found.resources}
        assert found.stale == {"away.example.com/v1"}

    runner.run(scenario())
