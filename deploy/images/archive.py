"""Image archives as `docker save` writes and `docker load` reads them, made in memory.

The same content gives the same bytes and so the same image ID, which makes loading again a matter of milliseconds.
Format: https://github.com/moby/moby/blob/master/image/spec/spec.md
"""

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any

LINK_MODE = 0o755  # a hard link's entry sets the mode of the file it points to


@dataclass
class Layer:
    """A file system under construction: what was put in, in order."""

    _buffer: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self._tar = tarfile.open(fileobj=self._buffer, mode="w")  # noqa: SIM115 -- closed in `content`

    def directory(self, path: str, mode: int = 0o755) -> None:
        self._add(path, tarfile.DIRTYPE, mode)

    def file(self, path: str, content: bytes, mode: int = 0o644, modified: int = 0) -> None:
        self._add(path, tarfile.REGTYPE, mode, content, modified=modified)

    def hard_link(self, path: str, to: str) -> None:
        self._add(path, tarfile.LNKTYPE, LINK_MODE, link=to)

    def content(self) -> bytes:
        self._tar.close()
        return self._buffer.getvalue()

    def _add(self, path: str, kind: bytes, mode: int, content: bytes = b"", link: str = "", modified: int = 0) -> None:
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.size, entry.linkname, entry.mtime = kind, mode, len(content), link, modified
        self._tar.addfile(entry, io.BytesIO(content))


def archive(tags: tuple[str, ...], layer: bytes, config: dict[str, Any]) -> bytes:
    """One image with one layer under the given tags; `config` is the image's run configuration (Cmd, Env, ...)."""
    image = {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "skiff"}],
    }
    image_json = json.dumps(image, sort_keys=True).encode()
    name = hashlib.sha256(image_json).hexdigest()
    manifest = [{"Config": f"{name}.json", "RepoTags": list(tags), "Layers": [f"{name}/layer.tar"]}]
    outer = Layer()
    outer.file(f"{name}.json", image_json)
    outer.directory(name)
    outer.file(f"{name}/layer.tar", layer)
    outer.file("manifest.json", json.dumps(manifest).encode())
    return outer.content()
