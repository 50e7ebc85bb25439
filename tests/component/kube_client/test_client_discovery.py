"""Discovery on the real API server: every row of the table comes back as it is."""

import asyncio

from kube.api.resources import RESOURCES
from kube.client.discovery import discover
from kube.client.rest import Client


def test_what_is_discovered_is_what_is_served(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery"""
    found = {(row.api_version, row.plural): row for row in runner.run(discover(client))}
    assert len(found) >= len(RESOURCES)
    for row in RESOURCES:
        seen = found[(row.api_version, row.plural)]
        assert (seen.kind, seen.namespaced, seen.singular_name) == (row.kind, row.namespaced, row.singular_name)
        assert set(seen.short_names) == set(row.short_names)
        assert set(seen.verbs) == set(row.verbs)
        assert set(row.subresources) <= set(seen.subresources)
