"""Mode: what carries the rules of Services out on this node.

`rules.py` says where connections go; a mode brings that about, by the kernel's rules or by copying bytes itself. A mode is told
what a Service has now (`take`), and carries out all that it was told since the last time (`sync`).
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from kube.api.meta import Key
from kube_proxy.rules import PortRule

T = TypeVar("T")


class Refused(Exception):
    """The kernel, or a program of the host's, did not take the rules."""


class Mode(Protocol):
    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        """Note what a Service has now; nothing if it is gone."""

    async def sync(self, *, whole: bool) -> None:
        """Carry out what was noted: the difference, or everything anew. Raises Refused or OSError."""

    async def intact(self) -> bool:
        """Whether what was carried out is still there, as far as a short look tells."""

    async def close(self) -> None:
        """Let go; what is in the kernel stays, so that connections go on while no proxy runs."""


async def to_its_end(call: Callable[..., T], *arguments: object) -> T:
    """A blocking call in a thread; it is waited for on the way out, too: nobody else may use its socket meanwhile."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
