"""One machine's cluster, before anything is started: preflight, programs, certificates."""

import configparser
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import certs, supervise
from deploy.cluster import Cluster
from deploy.preflight import LEAST_FREE_BYTES, Observed, problems
from deploy.programs import programs, supervisor_config

FINE = Observed(
    user=0,
    free_bytes=LEAST_FREE_BYTES,
    ports_taken=frozenset(),
    clashing_routes=(),
    missing=("etcd-server",),
    can_install=True,
)


def test_nothing_wrong_is_no_problem() -> None:
    assert problems(Cluster(), FINE) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(FINE, user=1000), "not root"),
        (replace(FINE, can_install=False), "etcd-server"),
        (replace(FINE, free_bytes=0), "disk full"),
        (replace(FINE, ports_taken=frozenset({6443})), "port 6443 is taken, and kube-apiserver needs it"),
        (replace(FINE, ports_taken=frozenset({2379})), "port 2379 is taken, and etcd needs it"),
        (replace(FINE, clashing_routes=("10.96.0.0/24 dev wg0",)), "10.96.0.0/24 dev wg0"),
    ],
)
def test_each_problem_is_one_line_that_says_what_to_do(seen: Observed, words: str) -> None:
    found = problems(Cluster(), seen)
    assert len(found) == 1
    assert words in found[0]
    assert "\n" not in found[0]


def test_supervisor_runs_every_program_for_ever() -> None:
    cluster = Cluster(state=Path("/s"))
    wanted = programs(cluster, own_engine=True)
    config = configparser.RawConfigParser()
    config.read_string(supervisor_config(cluster, wanted))
    names = {section.removeprefix("program:") for section in config.sections() if section.startswith("program:")}
    ours = {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"}
    assert names == ours | {"etcd", "containerd", "dockerd"}
    assert all(config[f"program:{name}"]["autorestart"] == "true" for name in names)
    assert config["unix_http_server"]["chmod"] == "0600"


def test_a_program_has_as_long_to_end_as_its_requests_have() -> None:
    """Rule: systemd-system.conf(5) DefaultTimeoutStopSec; kube-apiserver --request-timeout"""
    wanted = programs(Cluster(), own_engine=True)
    config = configparser.RawConfigParser()
    config.read_string(supervisor_config(Cluster(), wanted))
    assert int(config["program:kube-apiserver"]["stopwaitsecs"]) == 90
    assert len({program.priority for program in wanted}) <= supervise.PRIORITIES, "whoever waits for all of them waits long enough"


def test_engine_of_the_host_is_left_alone() -> None:
    assert "dockerd" not in {program.name for program in programs(Cluster(), own_engine=False)}


def test_keys_are_private_and_certificates_are_kept(tmp_path: Path) -> None:
    cluster = Cluster(state=tmp_path / "state")
    assert certs.make_certificates(cluster)
    before = {path: path.read_bytes() for path in cluster.state.rglob("*") if path.is_file()}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in before)
    assert certs.make_certificates(cluster) == []
    assert {path: path.read_bytes() for path in before} == before


def test_certificate_that_names_other_hosts_is_made_again(tmp_path: Path) -> None:
    cluster = Cluster(state=tmp_path / "state")
    certs.make_certificates(cluster)
    assert "apiserver" in certs.make_certificates(replace(cluster, node_ip="198.18.0.9"))


def test_half_written_files_are_made_again(tmp_path: Path) -> None:
    """What if the machine lost power while certificates were made?"""
    cluster = Cluster(state=tmp_path / "state")
    certs.make_certificates(cluster)
    (cluster.pki / "scheduler.crt").write_bytes(b"-----BEGIN CERTIF")
    cluster.kubeconfig("admin").write_bytes(b"apiVersion: v1\nclus")
    assert set(certs.make_certificates(cluster)) == {"scheduler", "admin.conf"}


def test_settings_are_remembered_and_a_damaged_file_is_no_end(tmp_path: Path) -> None:
    """What if the machine lost power while the settings were written? `make down` must still work."""
    cluster = Cluster(state=tmp_path, pod_cidr="10.1.0.0/16", docker_socket=tmp_path / "docker.sock")
    cluster.remember()
    assert Cluster.known(tmp_path) == cluster
    (tmp_path / "cluster.json").write_text('{"pod_ci')
    assert Cluster.known(tmp_path) == Cluster(state=tmp_path)


def test_a_leftover_that_ends_by_itself_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: between being found and being told to end, a program may be gone."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setattr(supervise, "marked", lambda cluster: [gone.pid])
    assert supervise.kill_leftovers(Cluster()) == [gone.pid]
