"""Flags and the configuration file."""

from pathlib import Path

import pytest

from kube.component import flags
from kube.component.run import StartupError
from kube_proxy import modes
from kube_proxy.config import Config, with_file

HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"


def from_file(tmp_path: Path, text: str, *argv: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return with_file(flags.parse(Config, [*argv, f"--config={path}"], "kube-proxy"))


def test_defaults_are_upstreams() -> None:
    """Rule: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/"""
    config = flags.parse(Config, [], "kube-proxy")
    assert (config.metrics_bind_address, config.healthz_bind_address) == ("127.0.0.1:10249", "0.0.0.0:10256")
    assert (config.masquerade_all, config.cleanup, config.nodeport_addresses) == (False, False, ())


def test_what_the_file_states_wins_over_flags(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/"""
    text = HEAD + (
        "mode: nftables\nclusterCIDR: 10.1.0.0/16\nclientConnection: {kubeconfig: /etc/kubeconfig}\n"
        "nodePortAddresses: [192.0.2.0/24]\nnftables: {masqueradeAll: true, minSyncPeriod: 1s, syncPeriod: 0s}\n"
    )
    config = from_file(tmp_path, text, "--cluster-cidr=10.244.0.0/16", "--hostname-override=node-1")
    assert (config.cluster_cidr, config.kubeconfig, config.hostname_override) == ("10.1.0.0/16", "/etc/kubeconfig", "node-1")
    assert (config.masquerade_all, config.min_sync_period, config.sync_period) == (True, 1.0, 30.0)
    assert config.nodeport_addresses == ("192.0.2.0/24",)


@pytest.mark.parametrize("text", ["kind: Pod\n", "- a list\n", "a: [unfinished\n"])
def test_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StartupError, match="failed to load config file"):
        from_file(tmp_path, text)


def test_mode_that_does_not_exist_is_refused_with_the_list_of_those_that_do() -> None:
    with pytest.raises(StartupError, match=r"--proxy-mode=winkernel is not supported: use one of nftables, iptables"):
        modes.chosen(flags.parse(Config, ["--proxy-mode=winkernel"], "kube-proxy"), [])
