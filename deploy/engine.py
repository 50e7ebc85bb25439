"""The container engine, as far as a bring-up needs it: does it answer, load an image, remove our containers.

Over the engine's HTTP API on its Unix socket. https://docs.docker.com/reference/api/engine/
"""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx

PIECE_BYTES = 1 << 20
POD_LABEL = "io.kubernetes.pod.uid"  # on every container that a kubelet made


class Engine:
    """One engine, named by its socket."""

    def __init__(self, socket: Path) -> None:
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://engine", timeout=60, trust_env=False
        )

    def answers(self) -> bool:
        try:
            return self._http.get("/_ping", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def has_image(self, tag: str) -> bool:
        return self._http.get(f"/images/{tag}/json").status_code == 200

    def load(self, archive: bytes) -> None:
        """Load an image archive. Raises RuntimeError with the engine's words where it refuses."""
        headers = {"Content-Type": "application/x-tar", "Content-Length": str(len(archive))}
        answer = self._http.post("/images/load", params={"quiet": "1"}, content=_pieces(archive), headers=headers)
        if answer.status_code != 200 or "errorDetail" in answer.text:
            raise RuntimeError(f"the container engine refused an image: {answer.text.strip()}")

    def remove_pods(self) -> int:
        """Remove every container that a kubelet made, running or not; returns how many there were."""
        filters = json.dumps({"label": [POD_LABEL]})
        found = self._http.get("/containers/json", params={"all": "1", "filters": filters}).json()
        for container in found:
            self._http.delete(f"/containers/{container['Id']}", params={"force": "1", "v": "1"})
        return len(found)

    def close(self) -> None:
        self._http.close()


def _pieces(content: bytes) -> Iterator[bytes]:
    """The client copies what is left of a body after every write to the socket: that must not be a whole image."""
    return (content[at : at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES))
