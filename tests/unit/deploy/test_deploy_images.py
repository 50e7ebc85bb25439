"""Images made by hand: the same bytes each time, and a pause that ends at once."""

import io
import json
import os
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from deploy.images import build, pause


def test_the_same_content_gives_the_same_image() -> None:
    assert build.pause_tar() == build.pause_tar()


def test_archive_has_what_docker_load_reads() -> None:
    """Rule: https://github.com/moby/moby/blob/master/image/spec/spec.md"""
    with tarfile.open(fileobj=io.BytesIO(build.pause_tar("a:b"))) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))[0]
        config = json.load(archive.extractfile(manifest["Config"]))
    assert manifest["RepoTags"] == ["a:b"]
    assert config["config"]["Entrypoint"] == ["/pause"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_pause_waits_and_ends_well_on_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(pause.program())
    program.chmod(0o755)
    process = subprocess.Popen([program])
    os.kill(process.pid, signal.SIGCHLD)  # a child's end is no reason to go
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.2)
    process.send_signal(number)
    assert process.wait(timeout=5) == 0
