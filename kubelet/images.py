"""Images: has a container's image at hand before it starts, by its pull policy.

IfNotPresent pulls what is absent, Never does not pull, Always asks the registry each time. Our choice: an image that never came
from a registry (it was built or loaded here, so it has no digest) cannot be asked for anew; Always takes it as it is. A pull
that fails is tried again after 10 s, 20 s ... 5 min; a container that asks in between is told so, each pod by itself: another
one may have the login that this one lacks. An image that is here because of another pod's login is asked for anew, or refused where
nothing is pulled (`pulled_images.py`).
https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy · upstream pkg/kubelet/images/image_manager.go
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from kube.api.types import Container, Pod
from kube.component.clock import Clock
from kubelet.backoff import Backoff
from kubelet.container_error import InspectError, InvalidName, NeverPull, PullBackoff, PullError
from kubelet.pod_events import NORMAL, WARNING, PodEvents
from kubelet.pull_secrets import Login
from kubelet.pulled_images import PulledImages
from kubelet.runtime.runtime import Image, ImageUnavailable, Runtime, RuntimeFailure, RuntimeUnavailable

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?"
_NAME = re.compile(rf"^{_DOMAIN}{_PART}(?:/{_PART})*(?::(?P<tag>\w[\w.-]{{0,127}}))?(?P<digest>@[a-z0-9+.]+:[0-9a-f]{{32,}})?$")


def with_tag(name: str) -> str:
    """The name with the tag that it implies. Raises InvalidName."""
    match = _NAME.match(name)
    if match is None:
        raise InvalidName(
            f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": invalid reference format'
        )
    return name if match["tag"] or match["digest"] else f"{name}:latest"


def pull_policy(container: Container) -> str:
    """Always for `latest` and no tag, else IfNotPresent; the API server fills it in, a static pod may lack it."""
    if container.imagePullPolicy:
        return str(container.imagePullPolicy)
    return "Always" if with_tag(container.image).endswith(":latest") else "IfNotPresent"


Logins = Callable[[Pod, str], Awaitable[Sequence[Login]]]  # what a registry is shown for a pod's image


async def no_logins(pod: Pod, image: str) -> Sequence[Login]:
    """Everything is asked for without."""
    return ()


class Images:
    def __init__(self, runtime: Runtime, events: PodEvents, clock: Clock, pulled: PulledImages, logins: Logins = no_logins) -> None:
        self._runtime = runtime
        self._events = events
        self._clock = clock
        self._logins = logins
        self._pulled = pulled
        self._backoff = Backoff()
        self._failures: dict[str, tuple[datetime, str]] = {}  # by pod and image: when a pull failed, and why
        self._pulls: dict[str, asyncio.Lock] = {}  # one pull of an image at a time

    async def ensure(self, pod: Pod, container: Container) -> Image:
        """The image, present on this node. Raises StartError with the reason to wait."""
        try:
            name = with_tag(container.image)
        except InvalidName as error:
            self._events.event(pod, WARNING, "InspectFailed", error.message, container.name)
            raise
        try:
            present = await self._runtime.image(name)
        except RuntimeUnavailable:
            raise
        except RuntimeFailure as error:
            raise InspectError(f'Failed to inspect image "{name}": {error}') from error
        policy = pull_policy(container)
        usable = present is not None and await self._may_have(pod, present, name)
        if present is not None and usable and (policy != "Always" or not present.digests):
            message = f'Container image "{container.image}" already present on machine'
            self._events.event(pod, NORMAL, "Pulled", message, container.name)
            return present
        if policy == "Never":
            why = "is not present with pull policy of Never"
            if present is not None:
                why = "is present with pull policy of Never but does not have the proper credentials to run"
            message = f'Container image "{container.image}" {why}'
            self._events.event(pod, WARNING, "ErrImageNeverPull", message, container.name)
            raise NeverPull(message)
        async with self._pulls.setdefault(name, asyncio.Lock()):
            return await self._pull(pod, container, name)

    async def _pull(self, pod: Pod, container: Container, name: str) -> Image:
        now, asked = self._clock.now(), _asked(pod, name)
        failure = self._failures.get(asked)
        if failure is not None:
            retry_at = self._backoff.retry_at(asked, failure[0])
            if retry_at is not None and now < retry_at:
                message = f'Back-off pulling image "{container.image}"'
                self._events.event(pod, NORMAL, "BackOff", message, container.name)
                raise PullBackoff(f"{message}: {PullError.reason}: {failure[1]}")
            self._backoff.tried(asked, failure[0], now)
        self._events.event(pod, NORMAL, "Pulling", f'Pulling image "{container.image}"', container.name)
        try:
            login = await self._pull_with_logins(pod, name)
        except ImageUnavailable as error:
            if failure is None:
                self._backoff.tried(asked, now, now)
            self._failures[asked] = (self._clock.now(), str(error))
            self._events.event(pod, WARNING, "Failed", f'Failed to pull image "{container.image}": {error}', container.name)
            raise PullError(str(error)) from error
        self._forget(asked)
        image = await self._runtime.image(name)
        if image is None:
            raise PullError(f'image "{name}" is absent after its pull')
        await asyncio.to_thread(self._pulled.note, image.id, name, login, self._clock.now())
        took = (self._clock.now() - now).total_seconds()
        message = (
            f'Successfully pulled image "{container.image}" in {took:.3g}s ({took:.3g}s including waiting). '
            f"Image size: {image.size} bytes."
        )
        self._events.event(pod, NORMAL, "Pulled", message, container.name)
        return image

    async def _may_have(self, pod: Pod, present: Image, name: str) -> bool:
        if await asyncio.to_thread(self._pulled.for_all, present.id, name):
            return True
        logins = await self._logins(pod, name)
        return await asyncio.to_thread(self._pulled.allows, present.id, name, logins)

    async def _pull_with_logins(self, pod: Pod, name: str) -> Login | None:
        """With one after another, until the registry takes one; returns that. Raises ImageUnavailable as the last was refused."""
        logins = await self._logins(pod, name)
        for login in logins[:-1]:
            with suppress(ImageUnavailable):
                await self._runtime.pull(name, login.auth)
                return login
        last = logins[-1] if logins else None
        await self._runtime.pull(name, last.auth if last is not None else None)
        return last

    def retry_at(self, pod: Pod, container: Container) -> datetime | None:
        """When a pull that failed may be tried again."""
        asked = _asked(pod, with_tag(container.image))
        failure = self._failures.get(asked)
        return self._backoff.retry_at(asked, failure[0]) if failure is not None else None

    def forget(self, pod: Pod) -> None:
        """The pod has ended."""
        for asked in [asked for asked in self._failures if asked.startswith(f"{pod.metadata.uid} ")]:
            self._forget(asked)

    def _forget(self, asked: str) -> None:
        self._failures.pop(asked, None)
        self._backoff.forget(asked)


def _asked(pod: Pod, image: str) -> str:
    return f"{pod.metadata.uid} {image}"
