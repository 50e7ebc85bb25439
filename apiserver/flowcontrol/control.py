"""Control: the configuration in force, and the way from a request to its flow.

Users ask the same again and again, so each answer is remembered until the configuration changes: classifying costs one look into
a dictionary. FlowSchemas are tried by precedence, then name; one whose level does not exist is passed over. The mandatory objects
are in force even while their stored forms are missing.
apiserver pkg/util/flowcontrol/apf_controller.go
"""

import math
from collections.abc import Iterable

from apiserver.config import Config
from apiserver.context import RequestInfo, Server, User
from apiserver.flowcontrol import classify, defaults
from apiserver.flowcontrol.level import Level, Limits, Seats
from apiserver.flowcontrol.sharding import hand
from apiserver.workers.place import Place
from kube.api.meta import Key, Tree

STATE = "flowcontrol"  # in server.state
REMEMBERED = 10_000  # flows
FLOW_SCHEMA_UID, LEVEL_UID = b"x-kubernetes-pf-flowschema-uid", b"x-kubernetes-pf-prioritylevel-uid"
WAIT_PART = 4  # of the longest time of a request, at most one part is spent waiting


class Counts:
    """What the metrics tell of one FlowSchema's requests."""

    __slots__ = ("dispatched", "executing", "level", "queued", "rejected", "schema")

    def __init__(self, schema: str, level: str) -> None:
        self.schema = schema
        self.level = level
        self.dispatched = 0
        self.executing = 0
        self.queued = 0
        self.rejected: dict[str, int] = {}


class Flow:
    """A stream of requests that are treated alike."""

    __slots__ = ("counts", "hand", "headers", "level", "written")

    def __init__(self, level: Level | None, headers: list[tuple[bytes, bytes]], dealt: tuple[int, ...], counts: Counts) -> None:
        self.level = level  # None: exempt
        self.headers = headers
        self.written = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.hand = dealt
        self.counts = counts

    def begin(self) -> None:
        """A request of this flow has taken its seat."""
        self.counts.dispatched += 1
        self.counts.executing += 1

    def end(self) -> None:
        """It gives the seat back."""
        self.counts.executing -= 1
        if self.level is not None:
            self.level.give()


class Control:
    """One worker's, for its part of the server's limits."""

    def __init__(self, config: Config, place: Place | None = None) -> None:
        self.seats = Seats((place or Place()).part(config.max_requests_inflight + config.max_mutating_requests_inflight))
        self.wait_seconds = float(config.request_timeout) / WAIT_PART
        self.levels: dict[str, Level] = {}  # the limited ones
        self.counts: dict[tuple[str, str], Counts] = {}
        self._level_trees: dict[str, Tree] = {}
        self._schema_trees: dict[str, Tree] = {}
        self._schemas: list[Tree] = []
        self._known_levels: dict[str, Tree] = {}
        self._flows: dict[object, Flow] = {}
        self._apply()

    def flow_of(self, user: User, info: RequestInfo) -> Flow:
        """The flow that a request belongs to."""
        if info.is_resource:
            key: object = (user.name, user.groups, info.verb, info.api_group, info.plural, info.subresource, info.namespace)
        else:
            key = (user.name, user.groups, info.verb, info.path)
        found = self._flows.get(key)
        if found is None:
            if len(self._flows) >= REMEMBERED:
                self._flows.clear()
            found = self._flows[key] = self._classified(user, info)
        return found

    def put_level(self, key: Key, tree: Tree | None) -> None:
        _put(self._level_trees, key, tree)
        self._apply()

    def put_schema(self, key: Key, tree: Tree | None) -> None:
        _put(self._schema_trees, key, tree)
        self._apply()

    def exists(self, level: str) -> bool:
        """Whether there is a priority level of that name."""
        return level in self._level_trees

    def _classified(self, user: User, info: RequestInfo) -> Flow:
        schema = next((one for one in self._schemas if classify.matches(one, user, info)), None)
        if schema is None:  # nobody is without a group; still, whoever matches nothing is everybody's equal
            schema = next(one for one in self._schemas if one["metadata"]["name"] == "catch-all")
        name = schema["spec"]["priorityLevelConfiguration"]["name"]
        headers = [
            (FLOW_SCHEMA_UID, schema["metadata"].get("uid", "").encode()),
            (LEVEL_UID, self._known_levels[name]["metadata"].get("uid", "").encode()),
        ]
        level = self.levels.get(name)
        dealt: tuple[int, ...] = ()
        if level is not None and level.limits.queues:
            queuing = self._known_levels[name]["spec"]["limited"]["limitResponse"]["queuing"]
            distinguisher = classify.distinguisher(schema, user, info)
            dealt = hand(f"{schema['metadata']['name']},{distinguisher}", queuing["queues"], queuing["handSize"])
        where = (schema["metadata"]["name"], name)
        counts = self.counts.get(where)
        if counts is None:
            counts = self.counts[where] = Counts(*where)
        return Flow(level, headers, dealt, counts)

    def _apply(self) -> None:
        """Put the present objects into force."""
        self._known_levels = _with_mandatory(defaults.levels(), self._level_trees)
        known = _with_mandatory(defaults.schemas(), self._schema_trees).values()
        usable = [one for one in known if one["spec"]["priorityLevelConfiguration"]["name"] in self._known_levels]
        self._schemas = sorted(usable, key=lambda one: (one["spec"].get("matchingPrecedence", 1000), one["metadata"]["name"]))
        wanted = limits_of(self._known_levels.values(), self.seats.total)
        for name, limits in wanted.items():
            if name in self.levels:
                self.levels[name].limit(limits)
            else:
                self.levels[name] = Level(name, self.seats, limits)
        self.levels = {name: self.levels[name] for name in wanted}
        self.seats.levels = list(self.levels.values())
        self._flows.clear()
        self.seats.dispatch()


def limits_of(levels: Iterable[Tree], total: int) -> dict[str, Limits]:
    """The seats of each limited level, by its shares of the total. Pure."""
    specs = {one["metadata"]["name"]: one["spec"] for one in levels}
    shares = {name: _shares(spec) for name, spec in specs.items()}
    every = sum(shares.values()) or 1
    found = {}
    for name, spec in specs.items():
        if spec["type"] == "Exempt":
            continue
        limited = spec["limited"]
        nominal = math.ceil(total * shares[name] / every)
        borrowing = limited.get("borrowingLimitPercent")
        queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
        found[name] = Limits(
            nominal=nominal,
            lendable=round(nominal * (limited.get("lendablePercent") or 0) / 100),
            most=total if borrowing is None else nominal + round(nominal * borrowing / 100),
            queues=queuing.get("queues", 0),
            queue_length=queuing.get("queueLengthLimit", 0),
        )
    return found


def control_of(server: Server) -> Control | None:
    """The server's, or None where --enable-priority-and-fairness is off."""
    found: Control | None = server.state.get(STATE)
    return found


def _shares(spec: Tree) -> int:
    part = (spec.get("exempt") or {}) if spec["type"] == "Exempt" else spec["limited"]
    found = part.get("nominalConcurrencyShares")
    return int(found if found is not None else 0 if spec["type"] == "Exempt" else 30)


def _with_mandatory(known: list[Tree], stored: dict[str, Tree]) -> dict[str, Tree]:
    return {one["metadata"]["name"]: one for one in known if one["metadata"]["name"] in defaults.MANDATORY} | stored


def _put(trees: dict[str, Tree], key: Key, tree: Tree | None) -> None:
    if tree is None:
        trees.pop(key.name, None)
    else:
        trees[key.name] = tree
