"""A private registry for tests: serves the busybox image, under any name, to whoever shows the one login. Prints its port.

    python -m tests.registry USER PASSWORD

Run it where the container engine runs: an engine speaks HTTP without TLS to the registries of its own loopback alone.
https://distribution.github.io/distribution/spec/api/
"""

import base64
import gzip
import hashlib
import io
import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deploy.images.build import busybox_tar, find_busybox

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Content:
    """The one image: its manifest, and the blobs that it names."""

    def __init__(self, archive: bytes) -> None:
        self.blobs: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as outer:

            def part(name: str) -> bytes:
                found = outer.extractfile(name)
                assert found is not None, name
                return found.read()

            image = json.loads(part("manifest.json"))[0]
            tree = json.loads(part(image["Config"]))
            tree["config"]["Labels"] = {"from": "a registry"}  # another image than the one that is loaded into engines
            config = self._blob(CONFIG, json.dumps(tree).encode())
            layers = [self._blob(LAYER, gzip.compress(part(name), 1, mtime=0)) for name in image["Layers"]]
        tree = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        self.manifest = json.dumps(tree).encode()
        self.digest = _digest(self.manifest)

    def _blob(self, kind: str, content: bytes) -> dict[str, object]:
        self.blobs[_digest(content)] = content
        return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def registry(login: str) -> ThreadingHTTPServer:
    """On a free port of the loopback; `login` is user:password."""
    content = Content(busybox_tar(find_busybox()))
    shown = "Basic " + base64.b64encode(login.encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if self.headers.get("Authorization") != shown:
                self._answer(401, b'{"errors": [{"code": "UNAUTHORIZED"}]}', "application/json")
                return
            place, _, last = self.path.rpartition("/")
            if place.endswith("/manifests"):
                self._answer(200, content.manifest, MANIFEST)
            elif last in content.blobs:
                self._answer(200, content.blobs[last], "application/octet-stream")
            else:
                self._answer(200 if self.path == "/v2/" else 404, b"{}", "application/json")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("WWW-Authenticate", 'Basic realm="tests"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if kind == MANIFEST:
                self.send_header("Docker-Content-Digest", content.digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    server = registry(":".join(sys.argv[1:3]))
    print(server.server_port, flush=True)
    server.serve_forever()
