"""Record: what is noted of one request, and the events that are made of it, one a stage.

    RequestReceived    as soon as it is known who asks
    ResponseStarted    of requests that run long, once their head is sent
    ResponseComplete   once there is nothing more to send
    Panic              what failed by a bug

https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ · apiserver pkg/audit/request.go
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from apiserver.audit.policy import LEVELS, NONE, REQUEST, REQUEST_RESPONSE, Policy, Verdict
from apiserver.context import Message, Request, Response, User
from apiserver.subresources.review import user_tree
from kube.api.late import late
from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.api.views import micro_timestamp

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")

Write = Callable[[bytes], object]


class Auditor:
    def __init__(self, policy: Policy, write: Write) -> None:
        self._policy = policy
        self._write = write

    def begin(self, request: Request) -> "Record | None":
        """The record of a request; None where the policy wants none."""
        verdict = self._policy.verdict(request.user, request.info)
        return Record(request, verdict, self._write) if verdict.level != NONE else None


class Record:
    def __init__(self, request: Request, verdict: Verdict, write: Write) -> None:
        self._request = request
        self._user = request.user
        self._verdict = verdict
        self._write = write
        self._received = micro_timestamp(datetime.now(UTC))
        self._annotations: dict[str, str] = {}
        self._send = request.send
        self.code = 0  # of an answer that goes out by another way than a Response
        request.send = self._note_code

    @property
    def keeps_objects(self) -> bool:
        """Whether the level is Request or more."""
        return LEVELS.index(self._verdict.level) >= LEVELS.index(REQUEST)

    def annotate(self, name: str, value: str) -> None:
        """The first word counts."""
        self._annotations.setdefault(name, value)

    def stage(self, stage: str, status: Tree | None = None, response: Response | None = None) -> None:
        """Write one event."""
        if stage in self._verdict.omit_stages:
            return
        event = self._event(stage)
        if status is not None:
            event["responseStatus"] = status
        if stage != "RequestReceived":
            event |= self._objects(response)
        self._write(orjson.dumps(event) + b"\n")

    def _event(self, stage: str) -> Tree:
        request, info = self._request, self._request.info
        query = request.scope.get("query_string", b"").decode("latin-1")
        event: Tree = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": self._verdict.level,
            "auditID": request.audit_id,
            "stage": stage,
            "requestURI": f"{info.path or request.scope['path']}{'?' + query if query else ''}",
            "verb": info.verb,
            "user": user_tree(self._user),
        }
        if request.impersonator is not None:
            event["impersonatedUser"] = _impersonated(request.user)
        event["sourceIPs"] = sources(request)
        if agent := request.headers.get("user-agent"):
            event["userAgent"] = agent
        if info.is_resource:
            event["objectRef"] = _reference(request)
        event |= {"requestReceivedTimestamp": self._received, "stageTimestamp": micro_timestamp(datetime.now(UTC))}
        if self._annotations:
            event["annotations"] = dict(self._annotations)
        return event

    def _objects(self, response: Response | None) -> Tree:
        """What was sent, and what came back, as far as the level wants them."""
        level, found = LEVELS.index(self._verdict.level), {}
        if self.keeps_objects and (sent := _parsed(self._request.body_read)) is not None:
            found["requestObject"] = self._bare(sent)
        if level >= LEVELS.index(REQUEST_RESPONSE) and response is not None and (back := _parsed(response.body)) is not None:
            found["responseObject"] = self._bare(back)
        return found

    def _bare(self, tree: Any) -> Any:
        if self._verdict.omit_managed_fields and isinstance(tree, dict):
            for one in (tree, *(tree.get("items") or ())):
                if isinstance(one, dict) and isinstance(one.get("metadata"), dict):
                    one["metadata"].pop("managedFields", None)
        return tree

    async def _note_code(self, message: Message) -> None:
        if message["type"].endswith("response.start"):
            self.code = message["status"]
            self._request.send = self._send  # what follows passes unlooked at
        await self._send(message)


def failure(error: ApiError) -> Tree:
    """The responseStatus of a refusal."""
    return {name: value for name, value in error.status().items() if name not in ("kind", "apiVersion")}


def success(code: int) -> Tree:
    return {"metadata": {}, "code": code}


def sources(request: Request) -> list[str]:
    """Where it came from: what proxies say, and who is connected."""
    forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    real = request.headers.get("x-real-ip", "")
    peer = (request.scope.get("client") or ("",))[0]
    return list(dict.fromkeys(one for one in (*forwarded, real, peer) if one))


def _impersonated(user: User) -> Tree:
    return user_tree(user)


def _reference(request: Request) -> Tree:
    info = request.info
    reference = {
        "resource": info.plural, "namespace": info.namespace, "name": info.name, "apiGroup": info.api_group,
        "apiVersion": info.api_version, "subresource": info.subresource,
    }  # fmt: skip
    return {name: value for name, value in reference.items() if value}


def _parsed(body: bytes) -> Any:
    """JSON or YAML as a tree; of anything else nothing is recorded."""
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        found = yaml.safe_load(body)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict | list) else None
