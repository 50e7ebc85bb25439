"""Decision: what one authorizer says of a request."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from apiserver.context import RequestInfo, User


@dataclass(frozen=True, slots=True)
class Decision:
    """`allowed` None: no opinion, ask the next one. `reason` is told to who is refused, and to reviews."""

    allowed: bool | None
    reason: str = ""


NO_OPINION = Decision(None)
ALLOWED = Decision(True)


class Mode(Protocol):
    """One of --authorization-mode."""

    async def decide(self, user: User, info: RequestInfo) -> Decision: ...


class Prompt(ABC):
    """A mode that asks nobody else."""

    @abstractmethod
    def decided(self, user: User, info: RequestInfo) -> Decision:
        """At once."""

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        return self.decided(user, info)
