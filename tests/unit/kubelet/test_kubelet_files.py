"""Files that the kubelet makes and reads: volumes, logs, static pods; and the back-offs and verdicts between."""

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kube.api.types import KeyToPath, Probe, Secret
from kube.api.views import view
from kube.component.clock import SystemClock
from kubelet.admission import Admission
from kubelet.backoff import Backoff, go_duration
from kubelet.config import KubeletConfig, with_file
from kubelet.container_log import LogOptions, container_log, log_options
from kubelet.environment import Reference
from kubelet.leftovers import Leftovers
from kubelet.node_facts import NodeFacts
from kubelet.pod_state import HASH, SOURCE, is_static
from kubelet.probes.probe import FIRST
from kubelet.runtime.runtime import PodIdentity, SandboxSpec
from kubelet.server_auth import ServerAuth
from kubelet.static_pods import NotAPod, static_pod
from kubelet.streaming.remote_command import exit_status
from kubelet.volumes import VOLUMES, atomic_writer, host_path
from kubelet.volumes.atomic_writer import File
from kubelet.volumes.payload import object_files, safe_path
from kubelet.volumes.pod_tokens import refresh_time
from kubelet.volumes.projected import token_file
from kubelet.volumes.volume import VolumeError
from tests.fake_runtime import FakeRuntime
from tests.unit.kubelet.pods import NOW, UID, a_container, a_pod


def test_files_change_all_at_once_through_one_link(tmp_path: Path) -> None:
    """Rule: behaviour E.5.56; pkg/volume/util/atomic_writer.go"""
    assert atomic_writer.write(tmp_path, {"a": File(b"1", 0o644), "d/b": File(b"2", 0o600)}, None, NOW)
    first = (tmp_path / "..data").readlink()
    assert (tmp_path / "a").readlink() == Path("..data/a")
    assert not atomic_writer.write(tmp_path, {"a": File(b"1", 0o644), "d/b": File(b"2", 0o600)}, None, NOW)
    assert (tmp_path / "..data").readlink() == first
    assert atomic_writer.write(tmp_path, {"a": File(b"3", 0o644)}, None, NOW)
    assert (tmp_path / "a").read_text() == "3"
    assert {one.name for one in tmp_path.iterdir()} == {"..data", "a", (tmp_path / "..data").readlink().name}
    (tmp_path / "..2026_01_01_00_00_00.dead").mkdir()  # of a kubelet that was killed
    with pytest.raises(OSError, match="File name too long"):
        atomic_writer.write(tmp_path, {"a": File(b"4", 0o644), "x" * 300: File(b"", 0o644)}, None, NOW)
    assert (tmp_path / "a").read_text() == "3"
    assert atomic_writer.write(tmp_path, {"a": File(b"5", 0o644)}, None, NOW)
    assert {one.name for one in tmp_path.iterdir()} == {"..data", "a", (tmp_path / "..data").readlink().name}


def test_a_key_that_is_named_and_absent_fails_the_volume_unless_optional() -> None:
    """Rule: behaviour E.5.56, https://kubernetes.io/docs/concepts/storage/volumes/#configmap"""
    objects: Any = {Reference("ConfigMap", "gone"): None}
    with pytest.raises(VolumeError, match='configmap "gone" not found'):
        object_files("ConfigMap", "gone", objects, None, mode=0o644, optional=False)
    assert object_files("ConfigMap", "gone", objects, None, mode=0o644, optional=True) == {}
    there: Any = {Reference("Secret", "s"): view(Secret, {"metadata": {"name": "s"}, "data": {"a": "eA=="}})}
    items = [view(KeyToPath, {"key": "a", "path": "deep/a", "mode": 0o400}), view(KeyToPath, {"key": "b", "path": "b"})]
    with pytest.raises(VolumeError, match="references non-existent secret key: b"):
        object_files("Secret", "s", there, items, mode=0o644, optional=False)
    assert object_files("Secret", "s", there, items, mode=0o644, optional=True) == {"deep/a": File(b"x", 0o400)}
    assert object_files("Secret", "s", there, None, mode=0o440, optional=False) == {"a": File(b"x", 0o440)}


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a/../../b", "..data"])
def test_paths_stay_in_their_volume(path: str) -> None:
    with pytest.raises(VolumeError):
        safe_path(path)


def test_a_host_path_must_be_what_it_is_said_to_be(tmp_path: Path) -> None:
    """Rule: behaviour E.5.57, https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types"""
    host_path.check(tmp_path / "made", "DirectoryOrCreate")
    host_path.check(tmp_path / "file", "FileOrCreate")
    host_path.check(tmp_path / "any", "")
    kinds = {
        "Directory": tmp_path / "made",
        "File": tmp_path / "file",
        "Socket": tmp_path / "socket",
        "CharDevice": Path("/dev/null"),
    }
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(kinds["Socket"]))
    names = {
        "Directory": "a directory",
        "File": "a file",
        "Socket": "a socket file",
        "CharDevice": "a character device",
        "BlockDevice": "a block device",
    }
    for kind, name in names.items():
        for path in (*kinds.values(), tmp_path / "absent"):
            if path == kinds.get(kind):
                host_path.check(path, kind)
                continue
            with pytest.raises(VolumeError, match=rf"hostPath type check failed: .* is not {name}"):
                host_path.check(path, kind)
    for path, kind in ((kinds["File"], "DirectoryOrCreate"), (kinds["Directory"], "FileOrCreate")):
        with pytest.raises((VolumeError, FileExistsError)):
            host_path.check(path, kind)


def test_a_token_is_renewed_at_four_fifths_of_its_life_or_after_a_day() -> None:
    """Rule: behaviour E.5.55, https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken"""
    assert refresh_time(NOW, NOW + timedelta(hours=1)) == NOW + timedelta(minutes=48)
    assert refresh_time(NOW, NOW + timedelta(days=365)) == NOW + timedelta(days=1)


def test_a_token_belongs_to_the_one_user_of_the_pod() -> None:
    assert token_file(a_pod(securityContext={"runAsUser": 1000}), "t", 0o644) == File(b"t", 0o600, 1000)
    assert token_file(a_pod(), "t", 0o644) == File(b"t", 0o644, None)


def test_every_volume_module_is_listed() -> None:
    folder = Path(atomic_writer.__file__).parent
    kit = {"__init__", "volume", "payload", "atomic_writer", "mounts", "subpath", "ownership", "pod_tokens", "csi_request"}
    modules = {path.stem for path in folder.glob("*.py")} - kit
    assert modules == {type(one).__module__.rpartition(".")[2] for one in VOLUMES}


def _log(path: Path, *lines: str) -> None:
    stamp = "2026-01-02T03:04:{:02d}.000000001Z"
    entries = [{"log": line, "stream": "stdout", "time": stamp.format(second)} for second, line in enumerate(lines)]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def _read(path: Path, options: LogOptions) -> str:
    async def read() -> bytes:
        return b"".join([chunk async for chunk in container_log(path, options, None)])

    return asyncio.run(read()).decode()


def test_a_log_is_read_whole_its_end_or_since_a_time_across_rotated_files(tmp_path: Path) -> None:
    path = tmp_path / "x-json.log"
    _log(path.with_name("x-json.log.1"), "zero\n")
    _log(path, "one\n", "two\n", "three\n")
    assert _read(path, LogOptions()) == "zero\none\ntwo\nthree\n"
    assert _read(path, LogOptions(tail=2)) == "two\nthree\n"
    assert _read(path, LogOptions(tail=0)) == ""
    assert _read(path, LogOptions(limit=6)) == "zero\no"
    assert _read(path, LogOptions(tail=1, timestamps=True)) == "2026-01-02T03:04:02.000000001Z three\n"
    assert _read(path, LogOptions(since=datetime(2026, 1, 2, 3, 4, 2, tzinfo=UTC))) == "three\n"
    with pytest.raises(ValueError, match="tailLines"):
        log_options({"tailLines": "-1"}, NOW)


def test_a_followed_log_goes_on_until_its_container_ends(tmp_path: Path) -> None:
    path = tmp_path / "x-json.log"
    _log(path, "one\n")

    async def follow() -> list[bytes]:
        ended = asyncio.Event()
        found = []
        async for chunk in container_log(path, LogOptions(follow=True), ended.wait()):  # type: ignore[arg-type]
            found.append(chunk)
            if len(found) == 1:
                with path.open("a") as file:
                    file.write(json.dumps({"log": "two\n", "stream": "stdout", "time": "2026-01-02T03:04:09Z"}) + "\n")
            else:
                ended.set()
        return found

    assert asyncio.run(asyncio.wait_for(follow(), 10)) == [b"one\n", b"two\n"]


def test_a_follower_that_is_several_files_behind_loses_no_line(tmp_path: Path) -> None:
    """Rule: behaviour E.5.61: `logs -f` goes on across rotation"""
    path = tmp_path / "x-json.log"
    _log(path, "one\n")

    async def follow() -> bytes:
        ended = asyncio.Event()
        found = b""
        async for chunk in container_log(path, LogOptions(follow=True), ended.wait()):  # type: ignore[arg-type]
            found += chunk
            if found == b"one\n":
                with path.open("a") as file:  # written and put away before the follower looks again
                    file.write(json.dumps({"log": "two\n", "stream": "stdout", "time": "2026-01-02T03:04:09Z"}) + "\n")
                path.rename(path.with_name("x-json.log.2"))
                _log(path.with_name("x-json.log.1"), "three\n")
                _log(path, "four\n")
            elif found.endswith(b"four\n"):
                ended.set()
        return found

    assert asyncio.run(asyncio.wait_for(follow(), 10)) == b"one\ntwo\nthree\nfour\n"


MANIFEST = b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: main, image: nginx}]}\n"


def test_a_static_pod_is_named_after_its_node_and_a_changed_file_is_another_pod() -> None:
    """Rule: pkg/kubelet/config/common.go"""
    pod = static_pod(MANIFEST, "n1", "file", NOW)
    assert (pod.metadata.name, pod.metadata.namespace, pod.spec.nodeName) == ("web-n1", "default", "n1")
    assert pod.metadata.annotations[HASH] == pod.metadata.uid
    assert pod.metadata.annotations[SOURCE] == "file"
    assert is_static(pod)
    assert pod.spec.containers[0].imagePullPolicy == "Always"
    assert static_pod(MANIFEST, "n1", "file", NOW).metadata.uid == pod.metadata.uid
    assert static_pod(MANIFEST.replace(b"nginx", b"nginx:2"), "n1", "file", NOW).metadata.uid != pod.metadata.uid


def manifest(metadata: str, spec: str) -> bytes:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec: {spec}\n".encode()


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"kind: Service",
        manifest("{name: a}", "{}"),
        manifest("", "{containers: [{name: c, image: i}]}"),
        manifest("web", "{containers: [{name: c, image: i}]}"),
        manifest("{name: a, annotations: [b]}", "{containers: [{name: c, image: i}]}"),
        manifest("{name: a}", "{containers: web}"),
        manifest("{name: a}", "{containers: [web]}"),
        manifest("{name: a}", "{containers: [{name: c, image: i}], tolerations: web}"),
    ],
)
def test_what_is_no_pod_is_refused(text: bytes) -> None:
    with pytest.raises(NotAPod):
        static_pod(text, "n1", "file", NOW)


def test_a_manifest_may_leave_fields_empty_and_have_others_that_nobody_knows() -> None:
    text = manifest("{name: a, annotations: }", "{containers: [{name: c, image: i}], tolerations: }") + b"more: {1: x}\n"
    pod = static_pod(text, "n1", "file", NOW)
    assert [one.effect for one in pod.spec.tolerations] == ["NoExecute"]


def test_back_offs_double_from_ten_seconds_to_five_minutes_and_are_forgotten_after_ten() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy"""
    backoff, failed = Backoff(), NOW
    assert backoff.retry_at("c", failed) is None
    delays = []
    for _ in range(7):
        backoff.tried("c", failed, failed)
        retry_at = backoff.retry_at("c", failed)
        assert retry_at is not None
        delays.append((retry_at - failed).total_seconds())
        failed = retry_at
    assert delays == [10, 20, 40, 80, 160, 300, 300]
    assert backoff.retry_at("c", failed + timedelta(minutes=10, seconds=1)) is None
    assert [go_duration(timedelta(seconds=one)) for one in (10, 80, 300)] == ["10s", "1m20s", "5m0s"]


def test_a_verdict_changes_after_enough_equal_answers() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes"""
    probe = view(Probe, {"failureThreshold": 2, "successThreshold": 2})
    verdict = FIRST["readiness"]
    seen = []
    for answer in (True, True, False, True, False, False):
        verdict = verdict.after(answer, probe)
        seen.append(verdict.good)
    assert seen == [False, True, True, True, True, False]
    assert [FIRST[kind].good for kind in ("startup", "liveness", "readiness")] == [None, True, False]


def test_a_node_refuses_what_does_not_fit() -> None:
    """Rule: pkg/kubelet/lifecycle/predicate.go"""
    admission = Admission({"cpu": "1", "memory": "1Gi", "pods": "2"})
    big = a_pod(containers=[a_container("main", resources={"requests": {"cpu": "600m"}})])
    assert admission.refuse(big, []) is None
    refusal = admission.refuse(big, [big])
    assert refusal is not None
    assert refusal.reason == "OutOfcpu"
    assert "requested: 600, used: 600, capacity: 1000" in refusal.message
    assert admission.refuse(a_pod(), [a_pod(), a_pod()]) is not None
    sysctl = admission.refuse(a_pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}), [])
    assert sysctl is not None
    assert sysctl.reason == "SysctlForbidden"


def test_an_exit_code_travels_in_a_status() -> None:
    """Rule: k8s.io/apimachinery/pkg/util/remotecommand"""
    assert exit_status(0)["status"] == "Success"
    failure = exit_status(5)
    assert (failure["reason"], failure["details"]["causes"]) == ("NonZeroExitCode", [{"reason": "ExitCode", "message": "5"}])


def test_only_masters_may_use_the_kubelets_api() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"""
    auth = ServerAuth(None, "n1")

    def code(path: str, subject: Any) -> int:
        denied = asyncio.run(auth.check("GET", path, subject, ""))
        return denied.code if denied is not None else 200

    assert code("/healthz", None) == 401
    assert code("/pods", None) == 401
    assert code("/pods", {"CN": "eve", "O": ["people"]}) == 403
    assert code("/pods", {"CN": "kube-apiserver-kubelet-client", "O": ["system:masters"]}) == 200


def test_flags_go_before_the_file_and_the_file_before_the_defaults(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/administer-cluster/kubelet-config-file/"""
    file = tmp_path / "config.yaml"
    file.write_text("kind: KubeletConfiguration\nmaxPods: 50\nport: 1\nclusterDNS: [10.96.0.10]\nstaticPodPath: /etc/manifests\n")
    config = with_file(KubeletConfig(config=file, port=2))
    assert (config.max_pods, config.port, config.cluster_dns) == (50, 2, ("10.96.0.10",))
    assert config.static_pod_path == Path("/etc/manifests")


def test_what_is_left_of_unknown_pods_goes_at_the_second_look_and_never_what_a_volume_shows(tmp_path: Path) -> None:
    """Rule: upstream cleanupOrphanedPodDirs and evictPodLogsDirectories"""
    shown = tmp_path / "users-data"
    for name in ("users-data", "kubelet/pods/gone/volumes", "log/pods/ns_pod_gone/main", "log/containers"):
        (tmp_path / name).mkdir(parents=True)
    (shown / "file").write_text("kept")
    (tmp_path / "kubelet/pods/gone/volumes/local").symlink_to(shown)
    link = tmp_path / "log/containers/pod_ns_main-id.log"
    link.symlink_to(tmp_path / "log/pods/ns_pod_gone/main/0.log")
    held, told = tmp_path / "kubelet/pods/held", tmp_path / "kubelet/pods" / UID
    held.mkdir()
    told.mkdir()
    facts = NodeFacts("node", tmp_path / "kubelet", tmp_path / "log/pods", "pause", ())
    runtime = FakeRuntime([])
    leftovers = Leftovers(facts, lambda: [a_pod()], runtime, SystemClock())

    async def looks() -> None:
        await runtime.create_sandbox(SandboxSpec(PodIdentity("ns", "held", "held"), 0, "pause", "held", ""))
        await leftovers.look()
        assert (tmp_path / "kubelet/pods/gone").is_dir()
        await leftovers.look()

    asyncio.run(looks())
    assert {*(tmp_path / "kubelet/pods").iterdir()} == {held, told}
    assert list((tmp_path / "log/pods").iterdir()) == []
    assert not link.is_symlink()
    assert (shown / "file").read_text() == "kept"
