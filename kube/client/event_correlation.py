"""Event correlation: whether something that happened becomes a new Event, counts up one that is there, or is not told at all.

- The same again (object, type, reason, message, source) counts up the Event that told it first.
- When messages of one reason about one object differ, the tenth and each new one after it are gathered in one Event, whose
  message is the latest with "(combined from similar events): " before it; ten minutes of silence end that.
- An object about which one source says too much is cut to a burst of 25 and then one in five minutes; what is cut is counted.
Pure but for its memory: the time, in seconds that only grow, is passed in.
client-go tools/record/events_cache.go (EventCorrelator)
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kube.api.meta import Key, Tree

V = TypeVar("V")
Identity = tuple[str, ...]

REMEMBERED = 4096  # of each kind of memory: the least recently used is forgotten
SIMILAR_LIMIT, SIMILAR_SECONDS = 10, 600.0
BURST, REFILL_PER_SECOND = 25, 1 / 300
COMBINED = "(combined from similar events): "


@dataclass(frozen=True)
class Verdict:
    """What to do with an event: count up the one that `key` names, or, if that is None, make one."""

    identity: Identity
    message: str
    count: int
    key: Key | None


@dataclass
class _Budget:
    """What may still be said about one object."""

    tokens: float = BURST
    at: float = 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(BURST, self.tokens + (now - self.at) * REFILL_PER_SECOND)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class _Similar:
    """The messages of one reason about one object, and when the last one came."""

    messages: set[str] = field(default_factory=set)
    at: float = 0.0


class Correlator:
    """The memory of one source of events."""

    def __init__(self) -> None:
        self._budgets: OrderedDict[Identity, _Budget] = OrderedDict()
        self._similar: OrderedDict[Identity, _Similar] = OrderedDict()
        self._counts: OrderedDict[Identity, tuple[int, Key | None]] = OrderedDict()

    def judge(self, event: Tree, now: float) -> Verdict | None:
        """None: not to be told, only counted. `event` has involvedObject, type, reason and message."""
        about, message = event["involvedObject"], event["message"]
        thing = tuple(str(about.get(name) or "") for name in ("kind", "namespace", "name", "uid", "apiVersion"))
        group = (*thing, event["type"], event["reason"])
        combined = self._too_many(group, message, now)
        identity = group if combined else (*group, str(about.get("fieldPath") or ""), message)
        count, key = self._counts.get(identity, (0, None))
        _remember(self._counts, identity, (count + 1, key))
        budget = self._budgets.get(thing) or _Budget(at=now)
        _remember(self._budgets, thing, budget)
        if not budget.take(now):
            return None
        return Verdict(identity, COMBINED + message if combined else message, count + 1, key)

    def told(self, verdict: Verdict, key: Key) -> None:
        """The event is on the server, under this key."""
        _remember(self._counts, verdict.identity, (verdict.count, key))

    def _too_many(self, group: Identity, message: str, now: float) -> bool:
        """Whether one more message would be the tenth of its group; the nine before it go on being told by themselves."""
        similar = self._similar.get(group)
        if similar is None or now - similar.at > SIMILAR_SECONDS:
            similar = _Similar()
        similar.at = now
        _remember(self._similar, group, similar)
        if len(similar.messages | {message}) >= SIMILAR_LIMIT:
            return True
        similar.messages.add(message)
        return False


def _remember(known: "OrderedDict[Any, V]", key: Any, value: V) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > REMEMBERED:
        known.popitem(last=False)
