"""Failure: which error an answer of 400 and above tells, and whether a busy server asks to come back.

client-go rest/request.go (transformResponse), rest/with_retry.go
"""

import orjson

from kube.api.status import ApiError, UnknownError, from_status

LONGEST_RETRY_AFTER_SECONDS = 30.0
TOO_MANY_REQUESTS = 429


def error_of(status: int, body: bytes, retry_after: str = "") -> ApiError:
    """The error of a Status body, or of any other body: its text is the message then. `retry_after` is the header."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        tree = {"message": body.decode("utf-8", "replace").strip()}
    error = from_status(status, tree if isinstance(tree, dict) else {})
    if retry_after.isdecimal():
        error.details = {"retryAfterSeconds": int(retry_after), **(error.details or {})}
    return error


def seconds_to_wait(error: ApiError) -> float | None:
    """Before the same request may be made again; None where the server did not ask for that."""
    seconds = (error.details or {}).get("retryAfterSeconds")
    code = error.actual_code if isinstance(error, UnknownError) else error.code
    if not seconds or not (code == TOO_MANY_REQUESTS or code >= 500):
        return None
    return min(float(seconds), LONGEST_RETRY_AFTER_SECONDS)
