"""Leader election on the real API server: one at a time, given back at the end."""

import asyncio

from kube.api.types import Lease
from kube.client.leader import lead
from kube.client.rest import Client
from tests.wait import eventually


def test_second_candidate_works_when_the_first_ends(runner: asyncio.Runner, client: Client) -> None:
    """Rule: a holder that ends gives the lease back, so that the next need not wait for its end."""

    async def scenario() -> None:
        working: list[str] = []

        def candidate(name: str) -> asyncio.Task[None]:
            async def work() -> None:
                working.append(name)
                await asyncio.get_running_loop().create_future()

            return asyncio.ensure_future(
                lead(
                    client, name="test", identity=name, work=work, namespace="default",
                    lease_seconds=15, renew_seconds=10, retry_seconds=0.05,
                )
            )  # fmt: skip

        first = candidate("a")
        await eventually(lambda: _is(working == ["a"]), within=10)
        second = candidate("b")
        lease = await client.get(Lease, "default", "test")
        assert lease.spec.holderIdentity == "a"
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await eventually(lambda: _is(working == ["a", "b"]), within=10)
        lease = await client.get(Lease, "default", "test")
        assert (lease.spec.holderIdentity, lease.spec.leaseTransitions) == ("b", 1)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)

    runner.run(scenario())


async def _is(value: bool) -> bool:
    return value
