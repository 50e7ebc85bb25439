"""Health, version and metrics of the API server, and the documents by which others verify its tokens.

https://kubernetes.io/docs/reference/using-api/health-checks/
https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
"""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from apiserver import metrics
from apiserver.auth.tokens import ServiceAccountTokens
from apiserver.context import Server
from kube.api.status import ApiError
from kube.component.health import Check, Health

HEALTH_PATHS = (
    "/healthz", "/healthz/{check}", "/livez", "/livez/{check}", "/readyz", "/readyz/{check}", "/metrics", "/version", "/version/",
)  # fmt: skip


def router(server: Server) -> APIRouter:
    checks = (Check("etcd", lambda: _etcd(server)), Check("poststarthook/start-bootstrap", lambda: _bootstrapped(server)))
    alive, ready = Health(*checks), Health(*checks, Check("shutdown", lambda: _goes_on(server)))
    routes = APIRouter()
    metrics.show(server)

    async def health(request: Request) -> Response:
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        path = request.url.path.rstrip("/")
        answer = await (ready if path.startswith("/readyz") else alive).answer(path, query)
        status, kind, body = answer or (404, "text/plain; charset=utf-8", b"404 page not found\n")
        return Response(body, status, {"X-Content-Type-Options": "nosniff", "Content-Type": kind})

    for path in HEALTH_PATHS:
        routes.add_api_route(path, health, methods=["GET"])

    @routes.get("/.well-known/openid-configuration")
    async def openid_configuration() -> dict[str, Any]:
        tokens: ServiceAccountTokens = server.state["tokens"]
        address = f"https://{server.config.advertise_address or '127.0.0.1'}:{server.config.secure_port}"
        return {
            "issuer": tokens.issuer,
            "jwks_uri": f"{address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({key["alg"] for key in tokens.jwks()["keys"]}),
        }

    @routes.get("/openid/v1/jwks")
    async def keys() -> Response:
        tokens: ServiceAccountTokens = server.state["tokens"]
        return Response(orjson.dumps(tokens.jwks()), media_type="application/jwk-set+json")

    return routes


async def _etcd(server: Server) -> str | None:
    try:
        await server.etcd.get("health")
    except ApiError as error:
        return error.message
    return None


async def _bootstrapped(server: Server) -> str | None:
    return None if server.state.get("bootstrapped") else "not finished"


async def _goes_on(server: Server) -> str | None:
    return "process is shutting down" if server.state.get("shutting down") else None
