"""Audit: what a policy wants recorded, and how the file is turned."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apiserver.audit.log import AuditLog, surplus
from apiserver.audit.policy import fits, load
from apiserver.context import RequestInfo, User
from kube.api.meta import Tree
from kube.component.run import StartupError

JANE = User("jane", ("dev",))


def pods(verb: str = "get", name: str = "p", subresource: str = "", namespace: str = "default") -> RequestInfo:
    return RequestInfo(
        verb, "", "", {}, is_resource=True, plural="pods", name=name, subresource=subresource, namespace=namespace
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "info", "answer"),
    [
        ({}, pods(), True),
        ({"users": ["jane"]}, pods(), True),
        ({"users": ["joe"]}, pods(), False),
        ({"userGroups": ["ops", "dev"]}, pods(), True),
        ({"verbs": ["list"]}, pods(), False),
        ({"namespaces": ["default"]}, pods(), True),
        ({"namespaces": ["default"]}, RequestInfo("get", "GET", "/version", {}), False),
        ({"resources": [{"group": ""}]}, pods(), True),
        ({"resources": [{"group": "apps"}]}, pods(), False),
        ({"resources": [{"resources": ["pods"]}]}, pods(subresource="log"), False),
        ({"resources": [{"resources": ["pods/log"]}]}, pods(subresource="log"), True),
        ({"resources": [{"resources": ["pods/*"]}]}, pods(subresource="log"), True),
        ({"resources": [{"resources": ["*/log"]}]}, pods(subresource="log"), True),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["q"]}]}, pods(), False),
        ({"nonResourceURLs": ["/version"]}, RequestInfo("get", "GET", "/version", {}), True),
        ({"nonResourceURLs": ["/api*"]}, RequestInfo("get", "GET", "/apis", {}), True),
        ({"nonResourceURLs": ["*"]}, pods(), False),
    ],
)
def test_rule_fits_where_each_of_its_lists_does(rule: Tree, info: RequestInfo, answer: bool) -> None:
    """Rule: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-PolicyRule"""
    assert fits({"level": "Metadata", **rule}, JANE, info) is answer


def test_first_rule_that_fits_decides(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n"
        "- {level: None, verbs: [watch]}\n- {level: Request, users: [jane], omitStages: [Panic], omitManagedFields: false}\n"
    )
    policy = load(path)
    assert policy.verdict(JANE, pods("watch")).level == "None"
    verdict = policy.verdict(JANE, pods())
    assert (verdict.level, verdict.omit_managed_fields) == ("Request", False)
    assert verdict.omit_stages == {"RequestReceived", "Panic"}
    assert policy.verdict(User("joe"), pods()).level == "None"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: Policy", "must be a Policy of audit.k8s.io/v1"),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy}", "0 rules"),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: All}]}", "Unsupported value: 'All'"),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, x: 1}]}", "unknown field 'x'"),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None}], omitStages: [Soon]}", "Invalid value: 'Soon'"),
    ],
)
def test_policy_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(StartupError, match=why):
        load(path)


def test_full_file_is_put_aside(tmp_path: Path) -> None:
    log = AuditLog(str(tmp_path / "audit.log"), megabytes=1)
    line = b"x" * (600 * 1024)
    log.write(line)
    log.write(line)
    log.close()
    assert (tmp_path / "audit.log").read_bytes() == line
    (old,) = tmp_path.glob("audit-*.log")
    assert old.read_bytes() == line


def test_old_files_go_by_number_and_by_age() -> None:
    now = datetime(2026, 1, 10, tzinfo=UTC)
    files = [(now - timedelta(days=day), Path(f"audit-{day}.log")) for day in range(5)]
    assert surplus(files, now, days=0, backups=0) == []
    assert surplus(files, now, days=0, backups=3) == [Path("audit-3.log"), Path("audit-4.log")]
    assert surplus(files, now, days=2, backups=0) == [Path("audit-3.log"), Path("audit-4.log")]
