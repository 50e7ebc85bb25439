"""Behind: the FastAPI app that answers what is neither a resource nor about health — discovery, OpenAPI, the keys of tokens.

Its import costs as much as half of a start, so it is loaded once the server listens (`App.load`), and at the latest by the first
request for it.
https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
"""

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from apiserver import discovery, openapi, root_paths
from apiserver.auth.tokens import ServiceAccountTokens
from apiserver.context import Server
from apiserver.health import CHECKS
from apiserver.nowhere import no_method, nowhere
from kube.api.status import ApiError, MethodNotAllowed

FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600"}


def build(server: Server) -> FastAPI:
    app = FastAPI(title="Kubernetes", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for router in (_index(server), _keys(server), discovery.router(server), openapi.router(server)):
        app.include_router(router)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ApiError, _refused)
    return app


def _index(server: Server) -> APIRouter:
    """All paths."""
    routes = APIRouter()

    @routes.get("/")
    @routes.get("/index.html", include_in_schema=False)
    async def paths() -> Response:
        tree = {"paths": root_paths.listed(server.routes, server.state[CHECKS])}
        return Response(orjson.dumps(tree, option=orjson.OPT_INDENT_2), media_type="application/json")

    return routes


def _keys(server: Server) -> APIRouter:
    """By what others verify the tokens of service accounts."""
    routes = APIRouter()

    @routes.get("/.well-known/openid-configuration")
    async def openid_configuration() -> Response:
        tokens: ServiceAccountTokens = server.state["tokens"]
        address = f"https://{server.config.advertise_address or '127.0.0.1'}:{server.config.secure_port}"
        tree = {
            "issuer": tokens.issuer,
            "jwks_uri": f"{address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({key["alg"] for key in tokens.jwks()["keys"]}),
        }
        return Response(orjson.dumps(tree), media_type="application/json", headers=FOR_AN_HOUR)

    @routes.get("/openid/v1/jwks")
    @routes.get("/openid/v1/jwks/", include_in_schema=False)  # as its OpenAPI document has it
    async def keys() -> Response:
        tokens: ServiceAccountTokens = server.state["tokens"]
        return Response(orjson.dumps(tokens.jwks()), media_type="application/jwk-set+json", headers=FOR_AN_HOUR)

    return routes


async def _refused(_request: Request, error: Exception) -> Response:
    """A path or a method that there is not."""
    if isinstance(error, HTTPException):
        error = no_method() if error.status_code == MethodNotAllowed.code else nowhere()
    assert isinstance(error, ApiError), "registered for these alone"
    return Response(orjson.dumps(error.status()), error.code, media_type="application/json")
