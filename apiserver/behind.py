"""Behind: the app that answers what is neither a resource nor about health — discovery, OpenAPI, the keys of tokens.

Our choice: Starlette, which is the part of FastAPI that is used here. The rest would cost every worker 15 MB, and each start a
quarter of its time.
https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
"""

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apiserver import discovery, openapi
from apiserver.auth.tokens import ServiceAccountTokens
from apiserver.context import Server
from apiserver.health import NO_METHOD
from kube.api.status import ApiError, MethodNotAllowed, NotFound

NO_PATH = "the server could not find the requested resource"  # client-go's words for a 404 that says nothing


def build(server: Server) -> Starlette:
    routes = [*_keys(server), *discovery.routes(server), *openapi.routes(server)]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused, ApiError: _refused})


def _keys(server: Server) -> list[Route]:
    """By what others verify the tokens of service accounts."""
    tokens: ServiceAccountTokens = server.state["tokens"]

    async def openid_configuration(request: Request) -> Response:
        address = f"https://{server.config.advertise_address or '127.0.0.1'}:{server.config.secure_port}"
        told = {
            "issuer": tokens.issuer,
            "jwks_uri": f"{address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({key["alg"] for key in tokens.jwks()["keys"]}),
        }
        return Response(orjson.dumps(told), media_type="application/json")

    async def keys(request: Request) -> Response:
        return Response(orjson.dumps(tokens.jwks()), media_type="application/jwk-set+json")

    return [Route("/.well-known/openid-configuration", openid_configuration), Route("/openid/v1/jwks", keys)]


async def _refused(request: Request, error: Exception) -> Response:
    """A path or a method that there is not, as a Status."""
    if isinstance(error, HTTPException):
        error = MethodNotAllowed(NO_METHOD) if error.status_code == MethodNotAllowed.code else NotFound(NO_PATH)
    assert isinstance(error, ApiError), "registered for these alone"
    return Response(orjson.dumps(error.status()), error.code, media_type="application/json")
