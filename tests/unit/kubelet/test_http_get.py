"""A probe's HTTP GET, from whatever a pod's author wrote."""

import asyncio
from typing import Any

import httpx
import pytest

from kube.api.types import HTTPGetAction
from kubelet.http_get import Answer, HttpGet, url_of
from tests.unit.kube_component.serving import serving


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"path": "healthz"}, "http://10.0.0.1:80/healthz"),
        ({"path": "/a?b=c", "scheme": "HTTPS"}, "https://10.0.0.1:80/a?b=c"),
        ({"path": "/a\nb\x7f"}, "http://10.0.0.1:80/a%0Ab%7F"),
        ({"host": "fd00::1"}, "http://[fd00::1]:80/"),
    ],
)
def test_a_url_is_made_of_what_the_action_says(fields: dict[str, str], url: str) -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes"""
    assert url_of(HTTPGetAction(port=80, **fields), "10.0.0.1", 80) == url


@pytest.mark.parametrize("host", ["[::1", "a" * 70_000, "a\x01b"])
def test_a_url_that_is_none_is_a_failed_request(host: str) -> None:
    """Not the end of the pod's worker."""

    async def ask() -> None:
        http = HttpGet()
        try:
            await http.get(f"http://{host}:80/", {})
        finally:
            await http.close()

    with pytest.raises(httpx.HTTPError):
        asyncio.run(ask())


def test_a_redirect_to_another_host_is_not_followed_and_its_body_is_told() -> None:
    """Where to is in its event.

    Rule: upstream's suite, [sig-node] Probing container should *not* be restarted with a non-local redirect http liveness probe
    """
    link = '<a href="http://0.0.0.0/">Found</a>.'

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"location", b"http://0.0.0.0/"), (b"content-length", b"%d" % len(link))]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": link.encode()})

    async def ask() -> Answer:
        http = HttpGet()
        async with serving(app) as (server, _, _):
            try:
                return await http.get(f"http://127.0.0.1:{server.port}/", {})
            finally:
                await http.close()

    assert asyncio.run(ask()) == Answer(302, link, elsewhere=True)
