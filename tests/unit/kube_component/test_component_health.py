"""Health endpoints: upstream's texts."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from kube.component.health import Answer, Check, Health
from kube.component.http_server import serve


@dataclass(frozen=True)
class Config:
    port: int = 1
    file: Path = Path("/x")


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
    assert ask(health, "/healthz/etcd") == (500, "text/plain; charset=utf-8", b"internal server error: connection refused\n")
    unknown = ask(health, "/healthz/nope")
    assert unknown is not None
    assert unknown[0] == 404


def test_other_paths_are_not_about_health() -> None:
    assert ask(Health(), "/api") is None


def test_excluding_what_is_no_check_is_told() -> None:
    """Rule: apiserver pkg/server/healthz/healthz.go"""
    answer = ask(Health(), "/readyz", exclude=["b", "a"], verbose=[""])
    assert answer is not None
    told = b'warn: some health checks cannot be excluded: no matches for "a", "b"'
    assert answer[2] == b"[+]ping ok\n" + told + b"\nreadyz check passed\n"


def test_configuration_and_version_and_metrics_are_shown() -> None:
    health = Health(config=Config(), config_name="kube-x")
    assert ask(health, "/configz") == (200, "application/json", b'{"kube-x":{"port":1,"file":"/x"}}')
    for path, part in (("/version", b'"major": "1"'), ("/metrics", b"kubernetes_build_info{")):
        answer = ask(health, path)
        assert answer is not None
        assert part in answer[2]


def test_app_answers_over_http_and_knows_nothing_else() -> None:
    async def scenario() -> tuple[int, bytes, int]:
        server = await serve(Health().app, "127.0.0.1", 0)
        root = f"http://127.0.0.1:{server.port}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{root}/healthz?verbose") as well:
                body = await well.read()
            async with session.get(f"{root}/api") as unknown:
                status = unknown.status
        await server.close()
        return well.status, body, status

    assert asyncio.run(scenario()) == (200, b"[+]ping ok\nhealthz check passed\n", 404)
