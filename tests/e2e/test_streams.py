"""exec, attach, cp, port-forward and logs with unmodified kubectls, by SPDY (the old one) and WebSocket, and with ours."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import OURS, REPOSITORY, UPSTREAM, Cluster

KUBECTLS = {
    "1.37": UPSTREAM,
    "1.36": REPOSITORY / ".venv" / "upstream-1.36" / "bin" / "kubectl",
    "1.20": REPOSITORY / ".venv" / "upstream-1.20" / "usr" / "bin" / "kubectl",
    "ours": OURS,
}
POD = "kubectl run streams --image=busybox --image-pull-policy=Never --restart=Never -- sh -c"
SCRIPT = "echo started; mkdir /www; echo page > /www/index.html; httpd -p 127.0.0.1:8080 -h /www; exec sleep 3600"
FETCH = f"{sys.executable} -c 'import urllib.request as u, sys; print(u.urlopen(sys.argv[1], timeout=5).read().decode(), end=\"\")'"


@pytest.fixture(scope="module", params=KUBECTLS.values(), ids=KUBECTLS)
def shell(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, with a pod called streams; `kubectl` is the version under test."""
    kubectl: Path = request.param
    shell = replace(cluster, environment={"KUBECTL": str(kubectl)})
    shell.ok(f"{POD} '{SCRIPT}'")
    shell.ok("kubectl wait --for=condition=Ready pod/streams --timeout=60s", within=70)
    yield shell
    shell.ok("kubectl delete pod streams --now --timeout=60s", within=70)


@pytest.mark.root
def test_exec_carries_stdin_both_outputs_and_the_exit_code(shell: Cluster) -> None:
    """Rule: behaviour E.5.62: SPDY and WebSocket, exit code through the error channel."""
    done = shell.run("$KUBECTL exec streams -- sh -c 'echo out; echo err >&2; exit 3'")
    assert (done.code, done.out) == (3, "out\n")
    assert done.err.startswith("err\n") or "command terminated with exit code 3" in done.err
    assert shell.ok("$KUBECTL exec -i streams -- sh -c 'cat; echo end'", stdin="hello\n") == "hello\nend\n"
    assert shell.ok("head -c 3000000 /dev/zero | $KUBECTL exec -i streams -- wc -c").strip() == "3000000"
    assert shell.ok("$KUBECTL exec streams -- head -c 5000000 /dev/zero | wc -c").strip() == "5000000"


@pytest.mark.root
def test_exec_has_a_terminal(shell: Cluster) -> None:
    done = shell.run("script -qec \"$KUBECTL exec -it streams -- sh -c 'tty; exit 4'\" /dev/null </dev/null")
    assert "/dev/pts/" in done.out
    assert done.code == 4


@pytest.mark.root
def test_what_cannot_be_entered_is_told(shell: Cluster) -> None:
    assert 'pods "nobody" not found' in shell.fails("$KUBECTL exec nobody -- true")
    assert "container nothing is not valid for pod streams" in shell.fails("$KUBECTL exec streams -c nothing -- true")
    done = shell.run("$KUBECTL exec streams -- no-such-program")
    assert done.code == 126  # the engine's word for what cannot be run
    assert "no-such-program" in done.out + done.err


@pytest.mark.root
def test_files_are_copied_both_ways(shell: Cluster, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("copied\n" * 10_000)
    shell.ok(f"$KUBECTL cp {tmp_path}/there streams:/tmp/there")
    shell.ok(f"$KUBECTL cp streams:/tmp/there {tmp_path}/back")
    assert (tmp_path / "back").read_text() == (tmp_path / "there").read_text()


@pytest.mark.root
def test_ports_are_forwarded_for_many_connections_at_once(shell: Cluster) -> None:
    """Rule: behaviour E.5.62; the address is the pod's own loopback."""
    with forwarding(shell, "8080") as (_, port):
        url = f"http://127.0.0.1:{port}/index.html"
        assert shell.ok(f"{FETCH} {url}") == "page\n"
        many = " & ".join([f"{FETCH} {url}"] * 8)
        assert shell.ok(f"{many} & wait").count("page") == 8


@pytest.mark.root
def test_a_port_where_nobody_listens_is_told(shell: Cluster) -> None:
    with forwarding(shell, "81") as (process, port):
        assert shell.run(f"{FETCH} http://127.0.0.1:{port}/").code != 0
        assert process.stdout is not None
        said = next(line for line in process.stdout if "forwarding" in line and "Forwarding from" not in line)
        assert "dial tcp4 127.0.0.1:81: connect: connection refused" in said


@pytest.mark.root
def test_attach_and_run_end_with_their_process(shell: Cluster) -> None:
    line = (
        "$KUBECTL run once --image=busybox --image-pull-policy=Never --rm -i --restart=Never -- sh -c 'read x; echo got $x; exit 5'"
    )
    done = shell.run(line, stdin="hi\n")
    assert done.code == 5
    assert "got hi" in done.out
    assert 'pod "once" deleted' in done.out + done.err


@pytest.mark.root
def test_logs_are_followed_and_chosen_from(shell: Cluster) -> None:
    """Conformance: [sig-cli] Kubectl logs logs should be able to retrieve and filter logs [Conformance]"""
    line = "sh -c 'for i in 1 2 3 4 5; do echo line $i; done; sleep 1; echo last'"
    shell.ok(f"kubectl run speaks --image=busybox --image-pull-policy=Never --restart=Never -- {line}")
    shell.ok("kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/speaks --timeout=60s", within=70)
    assert shell.ok("$KUBECTL logs -f speaks").splitlines()[-1] == "last"
    assert shell.ok("$KUBECTL logs speaks --tail=1") == "last\n"
    assert len(shell.ok("$KUBECTL logs speaks --limit-bytes=1")) == 1
    assert shell.ok("$KUBECTL logs speaks --tail=1 --timestamps").split(" ")[0].endswith("Z")
    assert len(shell.ok("$KUBECTL logs speaks --since=24h").splitlines()) == 6
    shell.ok("kubectl delete pod speaks --now")


@contextlib.contextmanager
def forwarding(shell: Cluster, port: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    process = shell.start(f"$KUBECTL port-forward --address=127.0.0.1 streams :{port}")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Forwarding from 127.0.0.1:"), line
        yield process, int(line.split(":")[1].split(" ")[0])
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
