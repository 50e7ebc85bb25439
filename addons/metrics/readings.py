"""Readings: a kubelet's /metrics/resource, as numbers. Pure.

Read are the four series that usage follows from, and when a container started; the rest of the page is passed over.
https://kubernetes.io/docs/reference/instrumentation/node-metrics/
"""

import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

SERIES = {  # a series -> the field it fills
    "node_cpu_usage_seconds_total": "cpu",
    "node_memory_working_set_bytes": "memory",
    "container_cpu_usage_seconds_total": "cpu",
    "container_memory_working_set_bytes": "memory",
    "container_start_time_seconds": "started",
}
LINE = re.compile(r"(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Container(NamedTuple):
    namespace: str
    pod: str
    name: str


@dataclass
class Point:
    """What was counted at a moment."""

    at: float = 0.0  # seconds since the epoch
    cpu: float | None = None  # seconds of a core, since the start
    memory: float | None = None  # bytes
    started: float = 0.0  # seconds since the epoch; 0: not told

    @property
    def whole(self) -> bool:
        return self.cpu is not None and self.memory is not None


@dataclass
class Reading:
    """One page."""

    node: Point = field(default_factory=Point)
    containers: dict[Container, Point] = field(default_factory=dict)


def read(page: str, now: float) -> Reading:
    """`now` stands for the time that a line does not tell."""
    found = Reading()
    for line in page.splitlines():
        match = LINE.match(line)
        value = _number(match[3]) if match is not None and match[1] in SERIES else None
        if match is None or value is None:
            continue
        if match[1].startswith("node_"):
            point = found.node
        else:
            labels = dict(LABEL.findall(match[2] or ""))
            key = Container(labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
            point = found.containers.setdefault(key, Point())
        setattr(point, SERIES[match[1]], value)
        point.at = int(match[4]) / 1000 if match[4] else now
    return found


def _number(text: str) -> float | None:
    """None for what cannot be reckoned with: also NaN and infinity are values of a page."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
