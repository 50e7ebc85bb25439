"""Target: the pod and the container that a request to the kubelet's API names, or why there is none, in upstream's words."""

from typing import NamedTuple

from kube.api.types import Pod
from kubelet.pod_state import every_container
from kubelet.pod_workers import PodWorkers
from kubelet.runtime.runtime import Runtime, RuntimeContainer


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Network(NamedTuple):
    """Where a pod's ports are."""

    pid: int  # a process in its network namespace; 0: the node's own
    name: str  # for messages
    uid: str


class Targets:
    def __init__(self, workers: PodWorkers, runtime: Runtime) -> None:
        self._workers = workers
        self._runtime = runtime

    def pod(self, namespace: str, name: str) -> Pod:
        """Raises Refused."""
        for pod in self._workers.pods():
            if (pod.metadata.namespace, pod.metadata.name) == (namespace, name):
                return pod
        raise Refused(404, f'pod "{name}" not found')

    async def record(self, pod: Pod, name: str, *, previous: bool = False) -> RuntimeContainer:
        """The container's newest record, or the one before. Raises Refused."""
        known = {one.name for one in every_container(pod)}
        if name not in known:
            raise Refused(404, f'container "{name}" not found in pod "{pod.metadata.name}"')
        records = [one for one in await self._runtime.containers(pod.metadata.uid) if one.name == name and one.state != "created"]
        if previous:
            ended = [one for one in records if not one.running]
            at_rest = records and not records[0].running and len(records) > 1
            chosen = records[1] if at_rest else (ended[0] if ended else None)
            if chosen is None:
                raise Refused(400, f'previous terminated container "{name}" in pod "{pod.metadata.name}" not found')
            return chosen
        if not records:
            raise Refused(400, f'container "{name}" in pod "{pod.metadata.name}" is waiting to start: {_why(pod, name)}')
        return records[0]

    async def running(self, pod: Pod, name: str) -> RuntimeContainer:
        """The container, which must run. Raises Refused."""
        record = await self.record(pod, name)
        if not record.running:
            raise Refused(400, f'container not found ("{record.name}")')
        return record

    async def network(self, pod: Pod) -> Network:
        """Raises Refused."""
        records = await self._runtime.containers(pod.metadata.uid)
        sandbox = next((one for one in records if one.is_sandbox and one.running), None)
        if sandbox is None:
            raise Refused(400, f'pod "{pod.metadata.name}" is not running')
        return Network(
            0 if pod.spec.hostNetwork else sandbox.pid, f"{pod.metadata.name}_{pod.metadata.namespace}", pod.metadata.uid
        )


def _why(pod: Pod, name: str) -> str:
    told = pod.status
    for status in [*(told.containerStatuses or ()), *(told.initContainerStatuses or ()), *(told.ephemeralContainerStatuses or ())]:
        if status.name == name and status.state is not None and status.state.waiting is not None:
            return str(status.state.waiting.reason)
    return "ContainerCreating"
