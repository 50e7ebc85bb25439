"""Slice writer: carries out changes of EndpointSlices, and keeps expectations, so that a slice is not made twice.

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from controller_manager.expectations import Expectations
from controller_manager.slices import Changes
from kube.api.meta import key_of
from kube.api.status import ApiError, NotFound
from kube.api.types import EndpointSlice
from kube.client.rest import Client, Unreachable


async def write(client: Client, expectations: Expectations, owner: str, changes: Changes) -> None:
    """Update, create, delete, in this order: an address is rather twice there than missing. `owner` is a UID."""
    for one, patch in changes.update:
        await client.patch(EndpointSlice, key_of(one), patch)
    for tree in changes.create:
        expectations.expect_creations(owner, 1)
        try:
            await client.create(EndpointSlice, tree)
        except (ApiError, Unreachable):
            expectations.created(owner)
            raise
    for one in changes.delete:
        expectations.expect_deletions(owner, [one.metadata.uid])
        try:
            await client.delete(EndpointSlice, key_of(one), uid=one.metadata.uid)
        except NotFound:
            expectations.deleted(owner, one.metadata.uid)
        except (ApiError, Unreachable):
            expectations.deleted(owner, one.metadata.uid)
            raise
