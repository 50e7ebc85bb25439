"""What ours is set beside: upstream's figures, or those of a peer measured in the same run (`--peer`).

The figures: kube-apiserver 1.36.2 on the same kind of machine, another day. Source: the project's measurements, facts.md part C.
Upstream's own binaries (Go 1.26), etcd 3.5.30 with fsync, TLS, a bearer token, everything on the same 2 cores, the load generator
included; medians of 3 runs. Where a span was measured the better end stands here. A machine is not the same from hour to hour, so
a peer's figures, taken between ours, say more.
"""

from dataclasses import dataclass
from typing import Any

AIMS = {"get": 3.0, "list": 4.0, "create": 1.0, "pod": 1.0, "patch": 2.0, "events": 1.5}  # as ratios to upstream


@dataclass(frozen=True, slots=True)
class Figures:
    """Of another server."""

    label: str
    rate: dict[tuple[str, int], float]  # requests a second, by operation and connections
    cpu_ms: dict[tuple[str, int], float]  # of the server, an operation
    events: dict[int, float]  # delivered a second, to so many watchers, 16 writers at full speed
    paced: dict[int, tuple[float, float]]  # p50 and p99 of the delay in ms, to so many watchers, at a pace
    ready_s: dict[str, float]  # by fresh, again
    rss_mib: dict[str, float]  # by what was done before


UPSTREAM = Figures(
    "upstream 1.36.2, same kind of machine",
    {
        ("get", 16): 3370.0,
        ("list", 1): 59.0, ("list", 4): 110.0, ("list", 16): 100.0,
        ("create", 1): 647.0, ("create", 16): 1984.0, ("create", 64): 2132.0,
        ("pod", 8): 1155.0,
        ("patch", 16): 436.0,
    },
    {("get", 16): 0.33, ("list", 1): 13.0, ("list", 4): 13.0, ("list", 16): 13.0}
    | {("create", 1): 0.62, ("create", 16): 0.62, ("create", 64): 0.62, ("pod", 8): 1.08, ("patch", 16): 2.0},
    {100: 82_800.0},
    {100: (0.4, 3.3)},
    {"fresh": 2.2, "again": 1.9},
    {"ready": 265.0, "get": 305.0, "list": 398.0, "create": 1310.0, "end": 1560.0},  # create: after 90,000 of them
)  # fmt: skip


def measured(label: str, result: dict[str, Any]) -> Figures:
    """Of a peer, from its part of this run."""
    cells = {(kind, int(count)): cell for kind, found in result["requests"].items() for count, cell in found.items()}
    return Figures(
        label,
        {which: cell["rate"] for which, cell in cells.items()},
        {which: cell["cpu_ms"] for which, cell in cells.items()},
        {int(count): cell["rate"] for count, cell in result["watch"].items()},
        {int(count): (cell["paced"]["p50_ms"], cell["paced"]["p99_ms"]) for count, cell in result["watch"].items()},
        {how: start["ready_s"] for how, start in result["start"].items()},
        result["rss_mib"],
    )
