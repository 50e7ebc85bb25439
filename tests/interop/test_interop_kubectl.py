"""Unmodified kubectls of several releases, over the transcripts: every command typed, every answer held against the file."""

from pathlib import Path

import pytest

from tests.interop.control_plane import REPOSITORY, ControlPlane
from tests.interop.transcript import FOLDER, Shell, matches, release, steps

VENV = REPOSITORY / ".venv"
KUBECTLS = {
    "1.37": VENV / "upstream/bin/kubectl",
    "1.36": VENV / "upstream-1.36/bin/kubectl",
    "1.20": VENV / "upstream-1.20/usr/bin/kubectl",
}
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("name", KUBECTLS)
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_kubectl_gets_the_answers_of_the_transcript(
    control_plane: ControlPlane, tmp_path: Path, name: str, transcript: Path
) -> None:
    kubectl = KUBECTLS[name]
    assert kubectl.exists(), f"kubectl {name} is not installed: run `make test`"
    shell = Shell(control_plane, kubectl, f"{transcript.stem}-{name.replace('.', '-')}", tmp_path / "shell")
    print("kubectl", ".".join(map(str, release(kubectl))))
    wrong = []
    for step in steps(transcript.read_text()):
        if not step.applies(release(kubectl)):
            continue
        answer = shell.type(step.command)
        if answer.code != step.code or not matches(step.expected, answer.printed):
            wrong.append(f"{transcript.name}:{step.number}\n$ {step.command}\n{answer.printed}(exit {answer.code})")
    assert not wrong, "\n\n".join(["answers that the transcript does not have:", *wrong])


def test_transcripts_hold_the_commands_that_users_type() -> None:
    """At least 150 of them, each with its answer."""
    assert sum(len(steps(path.read_text())) for path in TRANSCRIPTS) >= 150
