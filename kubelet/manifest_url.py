"""Manifest URL: static pods that are asked for over HTTP: one Pod, or a list of Pods, YAML or JSON.

Asked again and again; what is not a pod is told in the log, and the last good answer goes on, as it does while nobody answers.
https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/#pods-created-via-http · upstream pkg/kubelet/config/http.go
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import httpx
import yaml

from kube.api.types import Pod
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.static_pods import NotAPod, static_pod

log = get_logger("kubelet.manifest_url")

ANSWER_SECONDS = 10.0
Say = Callable[[dict[str, Pod]], None]


def pods_of(text: bytes, node_name: str, seen: datetime) -> dict[str, Pod]:
    """The static pods of an answer, by uid. Pure. Raises NotAPod."""
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NotAPod(f"cannot be parsed: {error}") from error
    kind = tree.get("kind") if isinstance(tree, dict) else None
    if kind in ("PodList", "List"):
        items = tree.get("items") or []
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise NotAPod("it is a list of something else than pods")
        texts = [yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", **one}).encode() for one in items]
    else:
        texts = [text]
    pods = [static_pod(one, node_name, "http", seen) for one in texts]
    return {pod.metadata.uid: pod for pod in pods}


class ManifestUrl:
    def __init__(self, url: str, headers: Iterable[str], node_name: str, every: float, clock: Clock, on_pods: Say) -> None:
        """`headers` as Name:value."""
        self._url = url
        self._headers = [(name.strip(), value.strip()) for name, _, value in (one.partition(":") for one in headers)]
        self._node_name = node_name
        self._every = every
        self._clock = clock
        self._on_pods = on_pods

    async def run(self) -> None:
        """Ask until cancelled."""
        last: bytes | None = None
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, follow_redirects=True) as client:
            while True:
                try:
                    text = await self._ask(client)
                    if text != last:
                        self._on_pods(pods_of(text, self._node_name, self._clock.now()))
                        last = text
                except (NotAPod, httpx.HTTPError) as error:
                    log.warning("failed to read pods from URL", url=self._url, reason=error)
                await self._clock.sleep(self._every)

    async def _ask(self, client: httpx.AsyncClient) -> bytes:
        answer = await client.get(self._url, headers=self._headers)
        answer.raise_for_status()
        if not answer.content:
            raise NotAPod(f"zero-length data received from {self._url}")
        return answer.content


class Together:
    """Joins what several sources say, once each has spoken."""

    def __init__(self, names: Iterable[str], on_pods: Say) -> None:
        self._said: dict[str, Mapping[str, Pod] | None] = dict.fromkeys(names)
        self._on_pods = on_pods

    def of(self, name: str) -> Say:
        def say(pods: dict[str, Pod]) -> None:
            self._said[name] = pods
            if all(said is not None for said in self._said.values()):
                self._on_pods({uid: pod for said in self._said.values() if said is not None for uid, pod in said.items()})

        return say
