"""Served kinds: which resources are served now, asked again when that may have changed.

A CustomResourceDefinition or an APIService that changes is the sign; nothing polls, but for versions whose own server does not
answer, which are asked for again until they can be known.
https://kubernetes.io/docs/reference/using-api/api-concepts/#discovery-api
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from kube.api.status import ApiError
from kube.client.discovery import Discovered, discover
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger

log = get_logger(__name__)

CHANGES_DISCOVERY = frozenset({("apiextensions.k8s.io", "customresourcedefinitions"), ("apiregistration.k8s.io", "apiservices")})
RETRY_SECONDS = 5.0
SETTLE_SECONDS = 1.0  # a definition changes several times while it is established
STALE_SECONDS = 30.0  # upstream's period of resync: how soon to ask again where a version could not be asked


async def discovered(client: Client) -> Discovered:
    """What is served, once the API server tells it."""
    while True:
        try:
            return await discover(client)
        except (ApiError, Unreachable) as error:
            log.warning("discovery failed, trying again", reason=error)
            await asyncio.sleep(RETRY_SECONDS)


async def keep_up(changed: asyncio.Event, resync: Callable[[], Awaitable[Discovered]]) -> None:
    """Call `resync`, which discovers and acts on it, whenever it may find something new, until cancelled."""
    complete = True
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), None if complete else STALE_SECONDS)
        await asyncio.sleep(SETTLE_SECONDS)
        changed.clear()
        complete = not (await resync()).stale
