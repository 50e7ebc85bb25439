"""Cluster DNS' image and objects, as a bring-up makes them."""

import io
import subprocess
import tarfile
from pathlib import Path

import yaml

from addons.dns.settings import read
from deploy.cluster import Cluster
from deploy.dns import PROGRAM, manifest
from deploy.host import resolver_file
from deploy.images import python


def test_the_image_holds_all_that_the_program_needs(tmp_path: Path) -> None:
    """Its interpreter finds everything below its own prefix. Rule: it runs where no registry can be reached"""
    with tarfile.open(fileobj=io.BytesIO(python.tar(PROGRAM))) as outer:
        (layer,) = (one for one in outer.getmembers() if one.name.endswith("layer.tar"))
        content = outer.extractfile(layer)
        assert content is not None
        with tarfile.open(fileobj=io.BytesIO(content.read())) as inner:
            inner.extractall(tmp_path, filter="fully_trusted")
    command = [str(tmp_path / "python" / "bin" / "python3"), "-I", "-m", "addons.dns", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env={"LD_LIBRARY_PATH": f"{tmp_path}/lib"}, check=False)
    assert "usage: cluster-dns" in done.stdout, done.stderr


def test_the_same_files_make_the_same_tag() -> None:
    """Rule: a second bring-up loads nothing"""
    assert python.tag(PROGRAM) == python.tag(PROGRAM)
    assert python.tag(PROGRAM).startswith("skiff.local/cluster-dns:")


def test_the_objects_are_those_that_kubeadm_makes() -> None:
    """Rule: what looks for cluster DNS finds it by kubeadm's names (behaviour E.4.48)"""
    found = {one["kind"]: one for one in yaml.safe_load_all(manifest("dns.yaml", Cluster(), 2))}
    service, template = found["Service"], found["Deployment"]["spec"]["template"]
    assert (service["metadata"]["name"], service["spec"]["clusterIP"]) == ("kube-dns", "10.96.0.10")
    assert [(one["port"], one["protocol"]) for one in service["spec"]["ports"]] == [(53, "UDP"), (53, "TCP"), (9153, "TCP")]
    assert found["Deployment"]["spec"]["replicas"] == 2
    assert template["metadata"]["labels"] == service["spec"]["selector"] == {"k8s-app": "kube-dns"}
    assert template["spec"]["priorityClassName"] == "system-cluster-critical"
    assert template["spec"]["containers"][0]["image"] == python.tag(PROGRAM)


def test_the_corefile_of_a_new_cluster_is_one_that_can_be_used() -> None:
    config = yaml.safe_load(manifest("dns-corefile.yaml", Cluster()))
    settings = read(config["data"]["Corefile"], {})
    assert (settings.health, settings.ready, settings.prometheus) == (":8080", ":8181", ":9153")


def test_pods_get_the_servers_behind_the_hosts_stub_resolver(tmp_path: Path) -> None:
    """Rule: field lesson B14, https://github.com/kubernetes/kubeadm/issues/1162"""
    ours, behind = tmp_path / "resolv.conf", tmp_path / "behind.conf"
    ours.write_text("nameserver 127.0.0.53\noptions edns0\n")
    assert resolver_file(ours, behind) == ours  # there is no better one
    behind.write_text("nameserver 192.0.2.53\n")
    assert resolver_file(ours, behind) == behind
    ours.write_text("nameserver 127.0.0.53\nnameserver 192.0.2.53\n")
    assert resolver_file(ours, behind) == ours
