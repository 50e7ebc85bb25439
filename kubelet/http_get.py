"""HTTP GET: the one request that probes and lifecycle hooks make; no certificate is verified, redirects stay with the host.

httpx is dear per request and comfortable with everything else; a probe every few seconds is what it is for.
https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import httpx

from kube.api.types import HTTPGetAction, HTTPHeader, Pod
from kube.client.version import MAJOR, MINOR

MAX_BODY = 10 * 1024  # bytes: what upstream reads of an answer
MAX_REDIRECTS = 10
CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # characters that no URL holds as they are


class Answer(NamedTuple):
    status: int
    body: str
    elsewhere: bool = False  # a redirect to another host, which was not followed


class HttpGet:
    """One client for all; every request has a connection of its own, as a user's would."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(verify=False, trust_env=False, limits=limits, timeout=None, follow_redirects=False)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Raises httpx.HTTPError. The caller sets the deadline."""
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise httpx.UnsupportedProtocol(str(error)) from error
        for _ in range(MAX_REDIRECTS):
            async with self._client.stream("GET", target, headers=dict(headers)) as response:
                if not response.is_redirect:
                    return Answer(response.status_code, await _body(response))
                following = response.next_request.url
                if following.host != target.host:
                    return Answer(response.status_code, await _body(response), elsewhere=True)
                target = following
        raise httpx.TooManyRedirects(f"stopped after {MAX_REDIRECTS} redirects")

    async def close(self) -> None:
        await self._client.aclose()


async def _body(response: httpx.Response) -> str:
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) >= MAX_BODY:
            break
    return content[:MAX_BODY].decode(errors="replace")


def url_of(action: HTTPGetAction, pod_ip: str, port: int) -> str:
    scheme = (action.scheme or "HTTP").lower()
    host = action.host or pod_ip
    bracketed = f"[{host}]" if ":" in host else host
    path = CONTROL.sub(lambda found: f"%{ord(found[0]):02X}", action.path or "/")
    return f"{scheme}://{bracketed}:{port}{path if path.startswith('/') else '/' + path}"


def headers_of(action: HTTPGetAction, agent: str) -> dict[str, str]:
    """The stated headers, over the ones that say who asks."""
    stated: list[HTTPHeader] = list(action.httpHeaders or ())
    return {"User-Agent": f"{agent}/{MAJOR}.{MINOR}", "Accept": "*/*"} | {one.name: one.value for one in stated}


def resolve_port(pod: Pod, container_name: str, port: int | str) -> int:
    """A port's number, by its name among the container's ports if need be. Raises ValueError."""
    text = str(port)
    if text.isdigit():
        return int(text)
    for container in [*pod.spec.containers, *(pod.spec.initContainers or ())]:
        if container.name == container_name:
            for one in container.ports or ():
                if one.name == text:
                    return int(one.containerPort)
    raise ValueError(f"couldn't find port: {text}")
