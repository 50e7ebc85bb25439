"""Objects: the config maps and secrets that this node's pods name, the services, and the pods' tokens.

Each named object is watched by itself, from the first pod that names it to the last (a node may read no others); a change wakes
the pods that name it. Upstream: pkg/kubelet/util/manager/watch_based_manager.go
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from kube.api.meta import Key
from kube.api.status import ApiError
from kube.api.types import ConfigMap, Pod, RuntimeClass, Secret, Service, ServiceAccount
from kube.client.informer import Informer
from kube.client.rest import Client, Unreachable
from kubelet.environment import Objects, Reference
from kubelet.pod_volumes import pod_references
from kubelet.service_environment import MASTER, service_environment
from kubelet.volumes.volume import Token, VolumeError

FIRST_ANSWER_SECONDS = 5.0  # how long a pod's start waits for the first answer about an object
FRESH_SERVICES_SECONDS = 2.0

_KINDS: dict[str, type[Any]] = {"ConfigMap": ConfigMap, "Secret": Secret}


class PodObjects(Protocol):
    def follow(self, pod: Pod) -> None:
        """From now on, know what the pod names."""

    async def get(self, pod: Pod) -> Objects:
        """Everything that the pod names; None for what is not there. Raises VolumeError where nobody can say."""

    async def service_variables(self, pod: Pod) -> dict[str, str]: ...

    async def runtime_handler(self, pod: Pod) -> str:
        """Of the pod's runtime class; empty without one. Raises VolumeError where nobody can say."""

    def release(self, uid: str) -> None: ...


class NoObjects:
    """For a kubelet without an API server: there are none."""

    def follow(self, pod: Pod) -> None:
        """Nothing to follow."""

    async def get(self, pod: Pod) -> Objects:
        return dict.fromkeys(pod_references(pod))

    async def service_variables(self, pod: Pod) -> dict[str, str]:
        return {}

    async def runtime_handler(self, pod: Pod) -> str:
        if not pod.spec.runtimeClassName:
            return ""
        raise VolumeError(f"failed to get RuntimeClass {pod.spec.runtimeClassName}: this kubelet has no API server")

    def release(self, uid: str) -> None:
        """Nothing was followed."""


async def no_token(pod: Pod, audience: str, seconds: int) -> Token:
    """For a kubelet without an API server."""
    raise VolumeError("failed to fetch token: this kubelet has no API server")


class _Place(NamedTuple):
    namespace: str
    reference: Reference


class _Watch(NamedTuple):
    informer: Informer[Any]
    task: asyncio.Task[None]
    uids: set[str]  # of the pods that name the object


class WatchedObjects:
    """See `PodObjects`."""

    def __init__(self, client: Client, services: Informer[Service], on_change: Callable[[str], None]) -> None:
        self._client = client
        self._services = services
        self._on_change = on_change  # is told the uid of a pod that names what changed
        self._watches: dict[_Place, _Watch] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await asyncio.Event().wait()

    def follow(self, pod: Pod) -> None:
        for reference in pod_references(pod):
            place = _Place(pod.metadata.namespace, reference)
            watch = self._watches.get(place) or self._begin(place)
            watch.uids.add(pod.metadata.uid)

    def _begin(self, place: _Place) -> _Watch:
        namespace, reference = place
        selector = f"metadata.name={reference.name}"
        informer = Informer(self._client, _KINDS[reference.kind], namespace=namespace, field_selector=selector)
        assert self._tasks is not None, "WatchedObjects.run is running before pods are"
        task = self._tasks.create_task(informer.run(), name=f"watch {reference.kind} {namespace}/{reference.name}")
        watch = self._watches[place] = _Watch(informer, task, set())
        informer.on_change(lambda old, new: self._changed(watch))
        return watch

    def _changed(self, watch: _Watch) -> None:
        for uid in watch.uids:
            self._on_change(uid)

    async def get(self, pod: Pod) -> Objects:
        found: dict[Reference, ConfigMap | Secret | None] = {}
        namespace = pod.metadata.namespace
        for reference in set(pod_references(pod)):
            watch = self._watches[_Place(namespace, reference)]
            try:
                async with asyncio.timeout(FIRST_ANSWER_SECONDS):
                    await watch.informer.synced.wait()
            except TimeoutError:
                message = f"failed to sync {reference.kind.lower()} cache: timed out waiting for the condition"
                raise VolumeError(message) from None
            found[reference] = watch.informer.cache.get(Key(namespace, reference.name))
        return found

    async def service_variables(self, pod: Pod) -> dict[str, str]:
        """They cannot be put right later, so where the cache may lag behind the server is asked; where it is away, what is known
        has to do: containers are started again while there is no API server.
        """
        known = self._services.cache.list()
        if self._services.following:
            return service_environment(pod, known)
        try:
            async with asyncio.timeout(FRESH_SERVICES_SECONDS):
                here = await self._client.list(Service, pod.metadata.namespace)
                return service_environment(pod, [*here, await self._client.get(Service, *MASTER)])
        except (ApiError, Unreachable, TimeoutError):
            return service_environment(pod, known)

    async def runtime_handler(self, pod: Pod) -> str:
        name = pod.spec.runtimeClassName
        if not name:
            return ""
        try:
            return str((await self._client.get(RuntimeClass, "", name)).handler)
        except (ApiError, Unreachable) as error:
            raise VolumeError(f"failed to get RuntimeClass {name}: {error}") from error

    def release(self, uid: str) -> None:
        for place, watch in list(self._watches.items()):
            watch.uids.discard(uid)
            if not watch.uids:
                watch.task.cancel()
                del self._watches[place]

    async def token(self, pod: Pod, audience: str, seconds: int) -> Token:
        """A token of the pod's service account, bound to the pod. Raises VolumeError."""
        account = pod.spec.serviceAccountName or "default"
        metadata = pod.metadata
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata.name, "uid": metadata.uid}
        spec: dict[str, Any] = {"expirationSeconds": seconds, "boundObjectRef": bound}
        if audience:
            spec["audiences"] = [audience]
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        try:
            answer = await self._client.create_subresource(ServiceAccount, Key(metadata.namespace, account), "token", request)
        except (ApiError, Unreachable) as error:
            raise VolumeError(f"failed to fetch token: {error}") from error
        return Token(answer["status"]["token"], datetime.fromisoformat(answer["status"]["expirationTimestamp"]))
