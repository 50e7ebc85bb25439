"""Eviction: pods of a node asked to go, again and again while a disruption budget keeps them, until all are gone or time is up.

Each pod has its own lot: one that is refused keeps no other from going. Deletion, which asks no budget, is the other way.
kubernetes/kubectl pkg/drain
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kube.api.meta import Key, Tree
from kube.api.status import ApiError, NotFound, TooManyRequests
from kubectl.pods import POD
from kubectl.session import Session, suffix

AGAIN_SECONDS = 5.0  # between two tries to evict a pod that a budget protects
LOOK_SECONDS = 0.2  # between two looks whether the evicted are gone, in whatever namespaces; upstream's drain looks, too
TIME_IS_UP = "context deadline exceeded"


def overdue(pod: Tree, seconds: int) -> bool:
    """Whether a pod should have gone more than so many seconds ago; 0: none should."""
    due = pod["metadata"].get("deletionTimestamp")
    return seconds > 0 and bool(due) and int((datetime.now(UTC) - datetime.fromisoformat(due)).total_seconds()) > seconds


@dataclass
class Evictions:
    """Those of one node. `timeout` is the flag's text, for messages; `deadline` when it is over, on the monotonic clock."""

    session: Session
    grace: int
    mode: str
    deadline: float
    timeout: str
    skip_seconds: int = 0  # one that has been going for longer is not waited for
    errors: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)  # names of pods for which there was an error

    def run(self, pods: list[Tree]) -> None:
        """Until none is left, or an error stands for each that is."""
        asked: list[Tree] = []
        waiting = list(pods)
        while waiting:
            refused = [pod for pod in waiting if not self._evicted(pod)]
            if self.mode == "none":
                asked += [pod for pod in waiting if pod not in refused and pod["metadata"]["name"] not in self.pending]
            waiting = [pod for pod in refused if not self._late(pod)]
            asked = self._gone(asked, min(self.deadline, time.monotonic() + AGAIN_SECONDS), idle=bool(waiting))
        for pod in self._gone(asked, self.deadline):
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            self._failed(pod, f'error when waiting for pod "{name}" in namespace "{namespace}" to terminate: {TIME_IS_UP}')

    def delete(self, pods: list[Tree]) -> None:
        """All of them, whatever the budgets say, until they are gone or time is up."""
        options: Tree = {"gracePeriodSeconds": self.grace} if self.grace >= 0 else {}
        if self.mode == "server":
            options["dryRun"] = ["All"]
        for pod in pods:
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            if self.mode == "client":
                self.session.say(f"evicting pod {namespace}/{name}{suffix(self.mode)}")
                continue
            try:
                self.session.server.request("DELETE", POD.path(namespace, name), body=options)
            except NotFound:
                continue  # gone before it was asked to go
            except ApiError as error:
                return self._failed(pod, error.message)
        left = self._gone(pods, self.deadline, done="deleted") if self.mode == "none" else []
        if left:
            self.errors.append(TIME_IS_UP)
            self.pending += [pod["metadata"]["name"] for pod in left]
        return None

    @property
    def _over(self) -> str:
        return f"global timeout reached: {self.timeout}"

    def _evicted(self, pod: Tree) -> bool:
        """Ask once; False: a budget keeps it for now."""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        self.session.say(f"evicting pod {namespace}/{name}{suffix(self.mode)}")
        if self.mode == "client":
            return True
        eviction: Tree = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": name, "namespace": namespace}}
        if self.grace >= 0:
            eviction["deleteOptions"] = {"gracePeriodSeconds": self.grace}
        params = {"dryRun": "All"} if self.mode == "server" else None
        try:
            self.session.server.request("POST", POD.path(namespace, name, "eviction"), params=params, body=eviction)
        except NotFound:
            return True
        except TooManyRequests as error:
            again = f"(will retry after {int(AGAIN_SECONDS)}s)"
            self.session.tell(f'error when evicting pods/"{name}" -n "{namespace}" {again}: {error.message}')
            return False
        except ApiError as error:
            self._failed(pod, f'error when evicting pods/"{name}" -n "{namespace}": {error.message}')
        return True

    def _late(self, pod: Tree) -> bool:
        """Whether there is no time for another try; then that is its error."""
        if time.monotonic() + AGAIN_SECONDS < self.deadline:
            return False
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        self._failed(pod, f'error when evicting pods/"{name}" -n "{namespace}": {self._over}')
        return True

    def _gone(self, pods: list[Tree], until: float, *, idle: bool = False, done: str = "evicted") -> list[Tree]:
        """Tell of each that is gone; those that are not at `until`. `idle`: wait until then, even for none."""
        left = list(pods)
        while True:
            left = [pod for pod in left if not self._told(pod, done)]
            remaining = until - time.monotonic()
            if remaining <= 0 or not (left or idle):
                return left
            time.sleep(min(LOOK_SECONDS, remaining) if left else remaining)

    def _told(self, pod: Tree, done: str) -> bool:
        """Whether a pod need not be waited for any longer; that is told."""
        key = Key(pod["metadata"]["namespace"], pod["metadata"]["name"])
        try:
            live = self.session.server.request("GET", POD.path(key.namespace, key.name)).tree()
            if live["metadata"]["uid"] == pod["metadata"]["uid"]:
                skipped = overdue(live, self.skip_seconds)
                if skipped:
                    self.session.say(f'pod "{key.name}" has DeletionTimestamp older than {self.skip_seconds} seconds, skipping')
                return skipped
        except NotFound:
            pass  # that is what is waited for
        self.session.say(f"pod/{key.name} {done}")
        return True

    def _failed(self, pod: Tree, message: str) -> None:
        self.errors.append(message)
        self.pending.append(pod["metadata"]["name"])
