"""Probe: how single answers become a verdict. Pure.

A verdict changes after `successThreshold` successes or `failureThreshold` failures in a row. Readiness starts false, liveness
true, startup unknown; until startup succeeds the others are not asked.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes · upstream pkg/kubelet/prober/worker.go
"""

from dataclasses import dataclass, replace
from typing import Literal

from kube.api.types import Container, Probe

Kind = Literal["startup", "liveness", "readiness"]
KINDS: tuple[Kind, ...] = ("startup", "liveness", "readiness")

DEFAULT_PERIOD, DEFAULT_TIMEOUT = 10, 1  # seconds
DEFAULT_SUCCESSES, DEFAULT_FAILURES = 1, 3


@dataclass(frozen=True)
class Verdict:
    """`good` is None until the probe has an opinion."""

    good: bool | None
    streak: int = 0  # equal answers in a row
    last: bool | None = None

    def after(self, answer: bool, probe: Probe) -> "Verdict":
        streak = self.streak + 1 if answer == self.last else 1
        needed = (probe.successThreshold or DEFAULT_SUCCESSES) if answer else (probe.failureThreshold or DEFAULT_FAILURES)
        good = answer if streak >= needed else self.good
        return replace(self, good=good, streak=streak, last=answer)


FIRST: dict[Kind, Verdict] = {"startup": Verdict(None), "liveness": Verdict(True), "readiness": Verdict(False)}


def probe_of(container: Container, kind: Kind) -> Probe | None:
    found: Probe | None = getattr(container, f"{kind}Probe")
    return found
