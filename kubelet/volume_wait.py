"""Volume wait: what is told of a pod whose volumes cannot be had yet, and when they are tried again. Pure.

Each failing volume is told at each try; the tries grow rarer. A pod that has waited for two minutes is told as a whole, with what
it waits for; and anew every two minutes. A claim that is not bound is looked at again soon, and is told as a whole at once; a
volume that is not attached yet is looked at again soon, and is told of only if it takes that long.
Upstream: pkg/kubelet/volumemanager/volume_manager.go WaitForAttachAndMount, pkg/util/goroutinemap/exponentialbackoff
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from kubelet.volumes.volume import ClaimNotReady, NotAttached, VolumeError

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=0.5), timedelta(seconds=122)
SOON = timedelta(seconds=2)  # where others have to act
PATIENCE = timedelta(minutes=2, seconds=3)  # podAttachAndMountTimeout


class VolumesFailed(VolumeError):
    """Some of a pod's volumes cannot be had, by name."""

    def __init__(self, failures: Mapping[str, VolumeError]) -> None:
        super().__init__("; ".join(str(error) for error in failures.values()))
        self.failures = failures


class VolumeWait:
    """One pod's."""

    def __init__(self) -> None:
        self.retry_at: datetime | None = None
        self._pause = FIRST_RETRY
        self._since: datetime | None = None  # when the pod began to wait, or was last told as a whole

    def failed(self, error: VolumeError, now: datetime) -> list[str]:
        """A try came to nothing; returns what to tell."""
        self._since = self._since or now
        failures = error.failures if isinstance(error, VolumesFailed) else {}
        claims = [name for name, one in failures.items() if isinstance(one, ClaimNotReady)]
        unattached = [name for name, one in failures.items() if isinstance(one, NotAttached)]
        if claims or (failures and len(unattached) == len(failures)):
            self.retry_at = now + SOON
        else:
            self.retry_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_RETRY)
        told = [str(one) for name, one in failures.items() if name not in (*claims, *unattached)] if failures else [str(error)]
        if claims:
            told.append(summary(list(failures), unattached, claims, "; ".join(str(failures[name]) for name in claims)))
        elif failures and now - self._since >= PATIENCE:
            self._since = now
            told.append(summary(list(failures), unattached, [], "context deadline exceeded"))
        return told

    def now(self) -> None:
        """Something changed: the next try need not wait."""
        self.retry_at = None

    def succeeded(self) -> None:
        self._pause, self._since, self.retry_at = FIRST_RETRY, None, None


def reason(told: str) -> str:
    """Of the event that tells it."""
    return "FailedMapVolume" if told.startswith("MapVolume.") else "FailedMount"


def summary(unmounted: list[str], unattached: list[str], unprocessed: list[str], why: str) -> str:
    return (
        f"Unable to attach or mount volumes: unmounted volumes=[{' '.join(unmounted)}], "
        f"unattached volumes=[{' '.join(unattached)}], failed to process volumes=[{' '.join(unprocessed)}]: {why}"
    )
