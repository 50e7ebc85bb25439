"""The images of a cluster: pause, busybox, and the tutorial's web servers.

busybox is the host's own static `busybox` program with a link for each of its applets. The web images stand for the ones that
tutorials name (`nginx:1.14.1`, `tomcat`): the busybox system, serving HTTP on the image's port, with the header
`Server: <name>/<tag>`, a start page and `/hostname.html`. They exist because a cluster must come up where no registry answers.
"""

import shutil
import subprocess
from pathlib import Path

from deploy.images import pause
from deploy.images.archive import Layer, archive

PAUSE = "registry.k8s.io/pause:3.10"
WEB_TAGS = ("nginx:1.14.1", "nginx:1.15.5", "nginx:1.15.7", "nginx:alpine", "nginx:latest")
BUSYBOX_TAGS = ("busybox:latest", "cirros:latest")
WEB_PROGRAM = Path(__file__).with_name("web.sh")


def all_archives() -> list[bytes]:
    """Every image that `make up` loads, as `docker load` takes it."""
    busybox = find_busybox()
    images = [pause_tar(), busybox_tar(busybox), web_tar("tomcat:latest", 8080, busybox)]
    return images + [web_tar(tag, 80, busybox) for tag in WEB_TAGS]


def pause_tar(tag: str = PAUSE) -> bytes:
    layer = Layer()
    layer.file("pause", pause.program(), 0o755)
    return archive((tag,), layer.content(), {"Entrypoint": ["/pause"]})


def busybox_tar(busybox: Path, tags: tuple[str, ...] = BUSYBOX_TAGS) -> bytes:
    return archive(tags, _system(busybox).content(), {"Cmd": ["sh"], "Env": ["PATH=/bin"]})


def web_tar(tag: str, port: int, busybox: Path) -> bytes:
    """A web server: `web.sh` answers one request; a listener starts it for each connection."""
    name, _, version = tag.partition(":")
    layer = _system(busybox)
    layer.file("bin/web", WEB_PROGRAM.read_bytes(), 0o755)
    config = {
        "Cmd": ["/bin/web", "listen"],
        "Env": ["PATH=/bin", f"SERVER={name}/{version}", f"PORT={port}"],
        "ExposedPorts": {f"{port}/tcp": {}},
        "StopSignal": "SIGTERM",
    }
    return archive((tag,), layer.content(), config)


def find_busybox() -> Path:
    """The host's busybox. Raises FileNotFoundError, saying what to install, where there is no static one."""
    found = shutil.which("busybox")
    if found is None or _is_dynamic(Path(found)):
        raise FileNotFoundError("no static busybox on this machine: install the package busybox-static")
    return Path(found)


def _system(busybox: Path) -> Layer:
    layer = Layer()
    for path in ("bin", "dev", "etc", "home", "proc", "root", "sys", "usr", "usr/bin", "var", "var/run", "www"):
        layer.directory(path)
    layer.directory("tmp", 0o1777)
    layer.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n")
    layer.file("etc/group", b"root:x:0:\nnobody:x:65534:\n")
    layer.file("bin/busybox", busybox.read_bytes(), 0o755)
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for applet in sorted(set(applets) - {"busybox"}):
        layer.hard_link(f"bin/{applet}", "bin/busybox")
    layer.hard_link("usr/bin/env", "bin/busybox")
    return layer


def _is_dynamic(program: Path) -> bool:
    """Whether the ELF file names a dynamic linker (a PT_INTERP header, which would stand near its start)."""
    return b"/lib64/ld-linux" in program.read_bytes()[:4096]
