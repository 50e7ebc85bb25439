"""kubectl logs of several pods, against a server that knows two of them; one has no log."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from kube.api.meta import Tree
from kubectl.app import run


def _pod(name: str, *containers: str) -> Tree:
    named = {"name": name, "namespace": "default", "labels": {"app": "web"}, "creationTimestamp": f"2026-01-01T00:00:0{name[-1]}Z"}
    return {"metadata": named, "spec": {"containers": [{"name": one} for one in containers]}}


REFUSED = {"kind": "Status", "status": "Failure", "reason": "BadRequest", "code": 400, "message": "p2 has no log"}
PODS = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}
ANSWERS: dict[str, Tree] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [PODS]},
    "/api/v1/namespaces/default/pods": {"kind": "PodList", "metadata": {}, "items": [_pod("p1", "a", "b"), _pod("p2", "a")]},
    "/api/v1/namespaces/default/pods/p1": {"kind": "Pod", **_pod("p1", "a", "b")},
    "/api/v1/namespaces/default/pods/p2/log": REFUSED,
}


ANSWERS["/api/v1/namespaces/default/pods/p3"] = {"kind": "Status", "status": "Failure", "code": 500, "message": "boom"}


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        answer = ANSWERS.get(url.path)
        text = json.dumps(answer) if answer else f"{url.path.split('/')[-2]} says\n"
        self.send_response((answer or {}).get("code", 200))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what the test reads is what kubectl says."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("p1 --all-pods", 0, "[pod/p1/a] p1 says\n", ""),
        ("p1 --all-pods --all-containers", 0, "[pod/p1/a] p1 says\n[pod/p1/b] p1 says\n", ""),
        ("-l app=web --all-pods", 1, "[pod/p1/a] p1 says\n", "Error from server (BadRequest): p2 has no log\n"),
        ("-l app=web --all-pods --ignore-errors", 0, "[pod/p1/a] p1 says\nerror: p2 has no log\n", ""),
        (
            "-l app=web --all-pods -f --max-log-requests=1",
            1,
            "",
            "error: you are attempting to follow 2 log streams, but maximum allowed concurrency is 1, "
            "use --max-log-requests to increase the limit\n",
        ),
    ],
)
def test_logs_of_all_pods_say_whose_they_are(
    url: str, line: str, code: int, out: str, err: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_logs/ --all-pods"""
    assert run(["logs", f"--server={url}", *line.split()]) == code
    assert capfd.readouterr() == (out, err)


def test_a_status_without_a_reason_is_told_without_one(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Rule: kubectl pkg/cmd/util/helpers.go StandardErrorMessage"""
    assert run(["get", f"--server={url}", "pods", "p3"]) == 1
    assert capfd.readouterr().err == "Error from server: boom\n"
