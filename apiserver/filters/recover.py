"""Recover: the loop top of a request. It sends the answer, and turns whatever was raised into a Status.

Expected failures (ApiError) are answered as they are. Anything else is a bug: logged once with the request, answered 500.
What fails after the answer began can only be cut off: the client sees a connection that ends early.
apiserver pkg/server/filters/wrap.go, pkg/endpoints/handlers/responsewriters
"""

from collections.abc import Awaitable, Callable

from apiserver.answer import refuse_websocket, send_response, status_response
from apiserver.context import Request, Response, Server
from kube.api.status import ApiError, InternalError
from kube.component.logging import get_logger

log = get_logger(__name__)


async def recover(server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]) -> Response | None:
    try:
        response = await call_next(request)
        if response is not None:
            await send_response(request, response)
    except ApiError as error:
        await _refuse(request, error)
    except Exception as error:
        if request.audit is not None:
            request.audit.stage(
                "Panic", {"metadata": {}, "status": "Failure", "reason": "InternalError", "message": str(error), "code": 500}
            )
        log.exception("request failed", verb=request.info.verb, path=request.info.path, audit_id=request.audit_id)
        await _refuse(request, InternalError(f"Internal error occurred: {error}"))
    return None


async def _refuse(request: Request, error: ApiError) -> None:
    if request.started:
        return
    if request.is_websocket:
        await refuse_websocket(request, error)
    else:
        await send_response(request, status_response(request, error))
