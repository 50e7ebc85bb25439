"""The flags of kube-apiserver."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import apiserver
from apiserver.config import ACCEPTED_WITHOUT_EFFECT, Config
from kube.component import flags

ROOM = Path(apiserver.__file__).parent


def test_every_flag_is_used_or_says_that_it_has_no_effect() -> None:
    """No flag is silently taken."""
    texts = "".join(file.read_text() for file in ROOM.rglob("*.py") if file.name != "config.py")
    unused = {one.name for one in fields(Config) if not re.search(rf"\.{one.name}\b", texts)}
    assert unused - {"v"} == set(ACCEPTED_WITHOUT_EFFECT)


def test_an_unknown_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        flags.parse(Config, ["--no-such-flag=1"], prog="kube-apiserver")
    assert ended.value.code == 1
    assert "--no-such-flag" in capsys.readouterr().err


def test_flags_are_read_as_upstream_writes_them() -> None:
    given = ["--etcd-servers=https://a:2379,https://b:2379", "--event-ttl=30m", "--service-cluster-ip-range", "10.96.0.0/12"]
    config = flags.parse(Config, given, prog="kube-apiserver")
    assert config.etcd_servers == ("https://a:2379", "https://b:2379")
    assert float(config.event_ttl) == 1800
    assert config.service_cluster_ip_range == ("10.96.0.0/12",)
