"""`kubectl kustomize` of upstream and ours over the same folders: the same objects, the same text, the same refusals."""

import subprocess
from pathlib import Path

import pytest

from kube.api.go_yaml import as_yaml
from kubectl.errors import CommandError
from kubectl.kustomize.build import build
from tests.interop.control_plane import REPOSITORY

UPSTREAM = REPOSITORY / ".venv/upstream/bin/kubectl"
FOLDERS = sorted((Path(__file__).parent / "kustomizations").iterdir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_folder_means_what_upstream_says_it_means(folder: Path) -> None:
    """Rule: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/"""
    assert UPSTREAM.exists(), "upstream's kubectl is not installed: run `make test`"
    theirs = subprocess.run([UPSTREAM, "kustomize", folder], capture_output=True, text=True, check=False)
    warnings: list[str] = []
    try:
        text, error = "---\n".join(as_yaml(tree) for tree in build(str(folder), warnings.append)), []
    except CommandError as refused:
        text, error = "", [f"error: {refused}"]
    assert text == theirs.stdout
    assert [*warnings, *error] == theirs.stderr.splitlines()
