"""Status manager: brings pods' statuses to the API server: the newest one, once, and again after an outage.

What was not sent yet is replaced by what is newer; what equals the server's is not sent. What somebody else wrote over it is told
again: the node lifecycle controller takes Ready from the pods of a node of which nothing is heard, and may do so just after the
node came back. A pod that has ended and is deleted gets its last status, and then its object is removed, by uid and with no grace
left. Upstream: pkg/kubelet/status/status_manager.go (syncBatch, needsReconcile)
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from kube.api.meta import Tree, key_of
from kube.api.status import ApiError, Conflict, NotFound
from kube.api.types import Pod
from kube.api.views import tree_of
from kube.client.rest import STRATEGIC, Client, Unreachable
from kube.component.logging import get_logger
from kubelet.pod_state import is_static
from kubelet.status import FINAL

log = get_logger("kubelet.status_manager")

SENDERS = 4  # patches in flight
RETRY_SECONDS = 2.0
PASSING = ("PodResizePending", "PodResizeInProgress")  # conditions that are there for a while only
# Lists that a patch merges by key, although the kubelet knows them whole.
WHOLE_LISTS = ("podIPs", "hostIPs")


@dataclass(frozen=True)
class _Told:
    pod: Pod
    status: Tree
    gone: bool


@dataclass(frozen=True)
class _Sent:
    pod: Pod
    status: Tree
    version: int  # of the object that has it: what is older says nothing against it


class StatusManager:
    def __init__(self, client: Client, api_object: Callable[[Pod], Pod | None]) -> None:
        self._client = client
        self._api_object = api_object
        self._newest: dict[str, _Told] = {}  # by uid: not yet sent
        self._sent: dict[str, _Sent] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._sending: set[str] = set()

    def report(self, pod: Pod, status: Tree, gone: bool) -> None:
        """Take a status. `gone`: nothing of the pod is left on the node."""
        uid = pod.metadata.uid
        sent = self._sent.get(uid)
        if not gone and sent is not None and sent.status == status and uid not in self._newest:
            return
        self._newest[uid] = _Told(pod, status, gone)
        self._enqueue(uid)

    def again(self, uid: str) -> None:
        """The object is new on the server: what was sent before does not count."""
        self._sent.pop(uid, None)

    def seen(self, uid: str) -> None:
        """The server's object of a pod has changed: if it does not say what was sent, and is newer, that is sent again, soon."""
        if self._overwritten(uid):
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._send_again, uid)

    def _send_again(self, uid: str) -> None:
        if self._overwritten(uid) and uid not in self._newest:
            sent = self._sent[uid]
            self._newest[uid] = _Told(sent.pod, sent.status, False)
            self._enqueue(uid)

    def _overwritten(self, uid: str) -> bool:
        sent = self._sent.get(uid)
        on_server = self._api_object(sent.pod) if sent is not None else None
        return on_server is not None and _version(on_server) > sent.version and not same(on_server, sent.status)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(SENDERS):
                tasks.create_task(self._send_all(), name=f"status sender {number}")

    def _enqueue(self, uid: str) -> None:
        if uid not in self._queued and uid not in self._sending:
            self._queued.add(uid)
            self._queue.put_nowait(uid)

    async def _send_all(self) -> None:
        while True:
            uid = await self._queue.get()
            self._queued.discard(uid)
            self._sending.add(uid)
            told = self._newest.pop(uid, None)
            try:
                if told is not None:
                    await self._send(told)
            except (ApiError, Unreachable) as error:
                log.warning("pod status is behind, trying again", pod=key_of(told.pod), reason=error)
                self._newest.setdefault(uid, told)
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._enqueue, uid)
            finally:
                self._sending.discard(uid)
            if uid in self._newest and told is not None and self._newest[uid] is not told:
                self._enqueue(uid)
            self.seen(uid)  # what came while it was under way

    async def _send(self, told: _Told) -> None:
        pod, uid = told.pod, told.pod.metadata.uid
        on_server = self._api_object(pod)
        if on_server is None and is_static(pod):
            return  # its mirror is not there (yet): the status is told again when it is
        server_uid = on_server.metadata.uid if on_server is not None else uid
        try:
            # The cache may be older than what was sent by this process; it counts for the first status only.
            if on_server is None or uid in self._sent or not same(on_server, told.status):
                patch = {"metadata": {"uid": server_uid}, "status": patch_of(told.status)}
                answer = await self._client.patch(Pod, key_of(pod), patch, type=STRATEGIC, subresource="status")
                version = int(answer["metadata"]["resourceVersion"])
            else:
                version = _version(on_server)
            self._sent[uid] = _Sent(pod, told.status, version)
            if told.gone and not is_static(pod):
                await self._client.delete(Pod, key_of(pod), uid=uid, grace_seconds=0)
        except (NotFound, Conflict):
            self._sent.pop(uid, None)  # the pod is gone, or another one has its name
            return
        if told.gone:
            self._sent.pop(uid, None)
        elif told.status["phase"] in FINAL:
            log.debug("pod has ended", pod=key_of(pod), phase=told.status["phase"])


def _version(pod: Pod) -> int:
    return int(pod.metadata.resourceVersion or 0)


def patch_of(status: Tree) -> Tree:
    """As a strategic merge patch: conditions merge with those of others, addresses replace the old ones."""
    patch = dict(status)
    if "conditions" in status:
        told = [one["type"] for one in status["conditions"]]
        patch["$setElementOrder/conditions"] = [{"type": one} for one in told]
        gone = [{"$patch": "delete", "type": one} for one in PASSING if one not in told]
        patch["conditions"] = [*status["conditions"], *gone]
    for name in WHOLE_LISTS:
        if status.get(name):
            patch[name] = [{"$patch": "replace"}, *status[name]]
    return patch


def same(on_server: Pod, status: Tree) -> bool:
    """Whether the server knows all of this already."""
    known: Tree = tree_of(on_server.status)
    conditions = {one["type"]: one for one in known.get("conditions", ())}
    for name, value in status.items():
        if name == "conditions":
            told = {one["type"] for one in value}
            if any(_bare(conditions.get(one["type"], {})) != _bare(one) for one in value):
                return False
            if any(one in conditions and one not in told for one in PASSING):
                return False
        elif _bare(known.get(name)) != _bare(value):
            return False
    return True


def _bare(value: object) -> object:
    """Without what is absent: null, and empty maps."""
    if isinstance(value, dict):
        return {name: bare for name, one in value.items() if (bare := _bare(one)) not in (None, {})} or None
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return value
