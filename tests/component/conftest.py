"""Fixtures of the component tests, one on top of the other: etcd (one a session) → apiserver (one a test) → client.

A test is a plain function that does its asynchronous part in one `runner.run(...)`, on the loop that the server lives on:

    def test_x(runner: asyncio.Runner, client: Client) -> None:
        async def scenario() -> None:
            ...
        runner.run(scenario())
"""

import asyncio
from collections.abc import Iterator

import pytest

from tests.component.etcd_member import EtcdMember


@pytest.fixture(scope="session")
def etcd() -> Iterator[EtcdMember]:
    member = EtcdMember()
    try:
        member.start()
        yield member
    finally:
        member.remove()


@pytest.fixture
def own_etcd() -> Iterator[EtcdMember]:
    """An etcd that the test may kill."""
    member = EtcdMember()
    try:
        member.start()
        yield member
    finally:
        member.remove()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one
