"""Transcripts: what a person types at a shell, and what must come back, as a file that can be read.

    # what it is about, before the first command
    $ kubectl create namespace demo
    namespace/demo created
    $[1.24-] kubectl create token robot          only with a kubectl of that release or newer; [-1.23] or older
    ...
    (exit 1)

Three dots stand for anything within a line, and on a line of their own for any number of lines. Standard output and standard
error are one, as on a terminal. A command without `(exit N)` ends with 0.

`python -m tests.interop.transcript KUBECTL FILE...` runs the files against a fresh control plane and prints them anew, with what
came back: to be read, mended with dots where it may differ, and kept.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.interop.control_plane import ControlPlane, running

FOLDER = Path(__file__).parent / "transcripts"
STEP_SECONDS = 60
PROMPT = re.compile(r"\$(?:\[(?P<since>[\d.]*)-(?P<until>[\d.]*)\])? (?P<command>.*)")
EXIT = re.compile(r"\(exit (\d+)\)")


@dataclass(frozen=True)
class Step:
    """One command and what it must print."""

    number: int  # of its line in the file
    prompt: str  # as written, with its releases
    command: str
    since: tuple[int, ...]
    until: tuple[int, ...]
    expected: str
    code: int

    def applies(self, release: tuple[int, ...]) -> bool:
        return (not self.since or release >= self.since) and (not self.until or release <= self.until)


@dataclass(frozen=True)
class Answer:
    code: int
    printed: str


def steps(text: str) -> list[Step]:
    """The steps of a transcript, in order."""
    found: list[Step] = []
    lines = text.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("$")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        match = PROMPT.fullmatch(lines[start])
        assert match is not None, f"line {start + 1} is no prompt: {lines[start]}"
        body = lines[start + 1 : end]
        code = 0
        if body and (exit_line := EXIT.fullmatch(body[-1])):
            code, body = int(exit_line[1]), body[:-1]
        since, until = _release(match["since"]), _release(match["until"])
        found.append(Step(start + 1, lines[start], match["command"], since, until, "\n".join(body), code))
    return found


def matches(expected: str, printed: str) -> bool:
    """Whether what was printed is what the transcript says, dots taken as wildcards."""
    pattern = "".join(_pattern(line) for line in expected.splitlines())
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed.splitlines())) is not None


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*"
    return ".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n"


class Shell:
    """A shell with one kubectl on its path, in a namespace and a directory of its own."""

    def __init__(self, plane: ControlPlane, kubectl: Path, namespace: str, directory: Path) -> None:
        (directory / "bin").mkdir(parents=True)
        (directory / "bin" / "kubectl").symlink_to(kubectl)
        shutil.copytree(FOLDER / "manifests", directory / "work")
        self._work = directory / "work"
        kubeconfig = directory / "kubeconfig"
        shutil.copy(plane.kubeconfig, kubeconfig)
        context = "kubernetes-admin@skiff"
        self._environment = plane.environment | {
            "PATH": f"{directory / 'bin'}:{plane.environment['PATH']}", "HOME": str(directory), "KUBECONFIG": str(kubeconfig),
            "NAMESPACE": namespace, "CONTEXT": context, "SERVER": plane.cluster.server, "CA": str(plane.cluster.pki / "ca.crt"),
        }  # fmt: skip
        prepared = self.type(
            f"kubectl create namespace {namespace} && kubectl config set-context --current --namespace={namespace}"
        )
        assert prepared.code == 0, prepared.printed

    def type(self, command: str) -> Answer:
        done = subprocess.run(
            ["bash", "-c", command], cwd=self._work, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=STEP_SECONDS, check=False,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout)


def release(kubectl: Path) -> tuple[int, ...]:
    """(1, 37) of a kubectl."""
    printed = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"v(\d+)\.(\d+)", printed)
    assert match is not None, printed
    return int(match[1]), int(match[2])


def _release(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")) if text else ()


def _again(shell: Shell, text: str, kubectl_release: tuple[int, ...]) -> Iterable[str]:
    """The transcript with what the commands print now; steps of other releases as they are."""
    for step in steps(text):
        yield step.prompt
        if not step.applies(kubectl_release):
            yield step.expected
            continue
        answer = shell.type(step.command)
        yield step.expected if matches(step.expected, answer.printed) and step.expected else answer.printed.rstrip("\n")
        if answer.code:
            yield f"(exit {answer.code})"


def main(kubectl: str, *files: str) -> None:
    """Print transcripts anew."""
    directory = Path(tempfile.mkdtemp())
    try:
        with running(directory) as plane:
            for number, file in enumerate(files):
                shell = Shell(plane, Path(kubectl).absolute(), Path(file).stem, directory / f"shell-{number}")
                print(f"==> {file}", *_again(shell, Path(file).read_text(), release(Path(kubectl))), sep="\n")
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main(*sys.argv[1:])
