"""Health endpoints: upstream's texts."""

import asyncio

from kube.component.health import Answer, Check, Health


async def well() -> str | None:
    return None


async def broken() -> str | None:
    return "connection refused"


def ask(health: Health, path: str, **query: list[str]) -> Answer | None:
    return asyncio.run(health.answer(path, query))


def test_well_is_ok() -> None:
    assert ask(Health(Check("etcd", well)), "/healthz") == (200, "text/plain; charset=utf-8", b"ok")


def test_verbose_lists_the_checks() -> None:
    """Rule: apiserver pkg/server/healthz/healthz.go"""
    answer = ask(Health(Check("etcd", well)), "/readyz", verbose=[""])
    assert answer == (200, "text/plain; charset=utf-8", b"[+]ping ok\n[+]etcd ok\nreadyz check passed\n")


def test_failure_withholds_its_reason() -> None:
    answer = ask(Health(Check("etcd", broken)), "/livez")
    assert answer is not None
    assert answer[0] == 500
    assert answer[2] == b"[+]ping ok\n[-]etcd failed: reason withheld\nlivez check failed\n"


def test_excluded_check_does_not_count() -> None:
    answer = ask(Health(Check("etcd", broken)), "/readyz", exclude=["etcd"], verbose=[""])
    assert answer is not None
    assert answer[2] == b"[+]ping ok\n[+]etcd excluded: ok\nreadyz check passed\n"


def test_single_check_and_unknown_check() -> None:
    health = Health(Check("etcd", broken))
    assert ask(health, "/healthz/ping") == (200, "text/plain; charset=utf-8", b"ok")
    unknown = ask(health, "/healthz/nope")
    assert unknown is not None
    assert unknown[0] == 404


def test_other_paths_are_not_about_health() -> None:
    assert ask(Health(), "/api") is None
