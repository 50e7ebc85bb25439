"""Which requests kubectl proxy lets through, and as what they go on."""

import re
from pathlib import Path

import pytest

from kube.client.kubeconfig import Config
from kubectl.commands.proxy import HOSTS, REJECTED, Filter, Request, Way, parsed
from kubectl.transport import Server


def patterns(words: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(word) for word in words.split(","))


USUAL = Filter(patterns(HOSTS), patterns("^.*"), patterns(REJECTED), patterns("^$"))
READING = Filter(patterns(HOSTS), patterns("^/api/v1/"), patterns(REJECTED), patterns("POST,PUT,PATCH,DELETE"))


@pytest.mark.parametrize(
    ("one", "method", "path", "host", "passes"),
    [
        (USUAL, "GET", "/api/v1/pods", "localhost:8001", True),
        (USUAL, "DELETE", "/api/v1/namespaces/a/pods/b", "127.0.0.1:8001", True),
        (USUAL, "GET", "/version", "[::1]:8001", True),
        (USUAL, "GET", "/version", "localhost", True),
        (USUAL, "GET", "/api/v1/pods", "evil.example:8001", False),
        (USUAL, "GET", "/api/v1/pods", "", False),
        (USUAL, "POST", "/api/v1/namespaces/a/pods/b/exec", "localhost:8001", False),
        (USUAL, "POST", "/api/v1/namespaces/a/pods/b/attach", "localhost:8001", False),
        (READING, "GET", "/api/v1/pods", "localhost:8001", True),
        (READING, "GET", "/apis/apps/v1", "localhost:8001", False),
        (READING, "PUT", "/api/v1/pods", "localhost:8001", False),
    ],
)
def test_what_is_asked_for_passes_or_not(one: Filter, method: str, path: str, host: str, passes: bool) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_proxy/"""
    assert one.passes(method, path, host) is passes


def test_a_request_goes_on_with_the_users_credentials_alone() -> None:
    """Rule: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster/"""
    server = Server(Config(server="https://there:6443", token="secret"), agent="kubectl", warn=print)
    way = Way(server, None, "/", "", "", Path())
    request = parsed(
        b"GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: localhost:8001\r\nAuthorization: Bearer mine\r\nAccept: */*\r\n\r\n"
    )
    target = way.target(request)
    assert target == "/api/v1/pods?watch=1"
    lines = way.head(request, target).decode().split("\r\n")
    assert lines[0] == "GET /api/v1/pods?watch=1 HTTP/1.1"
    assert set(lines[1:]) == {"Host: there:6443", "Connection: close", "Authorization: Bearer secret", "Accept: */*", ""}


def test_an_upgrade_stays_one() -> None:
    server = Server(Config(server="http://there:80"), agent="kubectl", warn=print)
    request = parsed(b"GET /x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    lines = Way(server, None, "/", "", "", Path()).head(request, "/x").decode().split("\r\n")
    assert "Connection: Upgrade" in lines
    assert "Upgrade: websocket" in lines


def test_prefixes_are_taken_away_and_added() -> None:
    server = Server(Config(server="http://there:80"), agent="kubectl", warn=print)
    way = Way(server, None, "/custom/", "/below", "/static/", Path())
    assert way.target(Request("GET", "/custom/api/v1", ())) == "/below/api/v1"
    assert way.target(Request("GET", "/api/v1", ())) is None


@pytest.mark.parametrize(
    ("head", "told"), [(b"GET / SPDY/3", "SPDY"), (b"\x16\x03\x01", "unpack"), (b"CONNECT host:1 HTTP/1.1", "host:1")]
)
def test_what_is_no_request_is_refused(head: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parsed(head + b"\r\n\r\n")
