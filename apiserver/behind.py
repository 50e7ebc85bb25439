"""Behind: the FastAPI app that answers what is neither a resource nor about health — discovery, OpenAPI, the keys of tokens.

Its import costs as much as half of a start, so it is loaded once the server listens (`App.load`), and at the latest by the first
request for it.
https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
"""

from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from apiserver import discovery, openapi
from apiserver.auth.tokens import ServiceAccountTokens
from apiserver.context import Server
from apiserver.health import NO_METHOD
from kube.api.status import ApiError, MethodNotAllowed, NotFound

NO_PATH = "the server could not find the requested resource"  # client-go's words for a 404 that says nothing


def build(server: Server) -> FastAPI:
    app = FastAPI(title="Kubernetes", openapi_url=None, docs_url=None, redoc_url=None)
    for router in (_keys(server), discovery.router(server), openapi.router(server)):
        app.include_router(router)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ApiError, _refused)
    return app


def _keys(server: Server) -> APIRouter:
    """By what others verify the tokens of service accounts."""
    routes = APIRouter()

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


async def _refused(request: Request, error: Exception) -> Response:
    """A path or a method that there is not, as a Status."""
    if isinstance(error, HTTPException):
        error = MethodNotAllowed(NO_METHOD) if error.status_code == MethodNotAllowed.code else NotFound(NO_PATH)
    assert isinstance(error, ApiError), "registered for these alone"
    return Response(orjson.dumps(error.status()), error.code, media_type="application/json")
