"""What CNI plugins are told. Rule: https://www.cni.dev/docs/spec/"""

import json
from pathlib import Path
from typing import Any

import pytest

from kubelet.network.cni_config import address_of, asked_capabilities, execution_config, find_network, parse_network
from kubelet.pod_network import Bandwidth, HostPort

PORTMAP = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
LIST = {"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge"}, PORTMAP]}


def test_first_network_by_name_counts_and_broken_files_are_passed_over(tmp_path: Path) -> None:
    assert find_network(tmp_path / "none") is None
    (tmp_path / "00-broken.conf").write_text("{")
    (tmp_path / "05-readme.txt").write_text(json.dumps({"name": "no", "type": "no"}))
    (tmp_path / "20-last.conflist").write_text(json.dumps({**LIST, "name": "last"}))
    (tmp_path / "10-first.conf").write_text(json.dumps({"name": "first", "type": "ptp"}))
    found = find_network(tmp_path)
    assert found is not None
    assert (found.name, found.version, [one["type"] for one in found.plugins], found.checks) == ("first", "0.1.0", ["ptp"], False)


@pytest.mark.parametrize("tree", [[], {}, {"name": "x", "plugins": []}, {"name": "x", "type": "../../bin/sh"}, {"name": "x"}])
def test_network_without_name_or_plugins_is_refused(tree: Any) -> None:
    with pytest.raises(ValueError, match=r"network configuration|plugin has a type"):
        parse_network(tree)


def test_plugin_is_told_its_part_the_result_before_it_and_only_its_capabilities() -> None:
    network = parse_network(LIST)
    asked = asked_capabilities([HostPort("", 8088, 80, "TCP")], Bandwidth(0, 1_000_000))
    assert asked["bandwidth"] == {"egressRate": 1_000_000, "egressBurst": 2_147_483_647}
    assert execution_config(network, network.plugins[0], None, asked) == {"cniVersion": "1.0.0", "name": "net", "type": "bridge"}
    assert execution_config(network, network.plugins[1], {"ips": []}, asked) == {
        "cniVersion": "1.0.0",
        "name": "net",
        "type": "portmap",
        "snat": True,
        "runtimeConfig": {"portMappings": [{"hostPort": 8088, "containerPort": 80, "protocol": "tcp", "hostIP": ""}]},
        "prevResult": {"ips": []},
    }


def test_address_is_the_first_ipv4_one_of_a_result() -> None:
    assert address_of({"ips": [{"address": "fd00::2/64"}, {"address": "10.1.0.2/24"}]}) == "10.1.0.2"
    assert address_of({"ip4": {"ip": "10.1.0.3/24"}}) == "10.1.0.3"
    assert address_of({}) == ""
