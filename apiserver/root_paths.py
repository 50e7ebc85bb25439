"""Root: what `kubectl get --raw /` lists — the paths that are served, resources aside.

apiserver pkg/server/routes/index.go
"""

from collections.abc import Iterable, Iterator

from apiserver.routes import Routes

ALWAYS = (
    "/.well-known/openid-configuration", "/api", "/apis", "/apis/", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/",
    "/openid/v1/jwks", "/version",
)  # fmt: skip
PROBES = ("healthz", "livez", "readyz")


def listed(routes: Routes, checks: Iterable[str]) -> list[str]:
    """The paths, sorted. `checks` are named by what follows / in their paths: `livez/etcd`."""
    return sorted({*ALWAYS, *_versions(routes), *(f"/{name}" for name in (*PROBES, *checks))})


def _versions(routes: Routes) -> Iterator[str]:
    served = {(row.group, row.version) for row in routes.rows()} | {(one.group, one.version) for one in routes.remote()}
    for group, version in served:
        yield f"/apis/{group}/{version}" if group else f"/api/{version}"
        if group:
            yield f"/apis/{group}"
