"""OpenAPI parameters: what each verb of a resource takes in its query, as both versions of OpenAPI write it. Pure."""

from dataclasses import dataclass

from kube.api.meta import Tree

JSON, YAML, STREAM = "application/json", "application/yaml", "application/json;stream=watch"

PRETTY = {"pretty": "string"}
WRITE = {"dryRun": "string", "fieldManager": "string", "fieldValidation": "string", **PRETTY}
SELECT = {
    "continue": "string", "fieldSelector": "string", "labelSelector": "string", "limit": "integer", "resourceVersion": "string",
    "resourceVersionMatch": "string", "sendInitialEvents": "boolean", "shardSelector": "string", "timeoutSeconds": "integer",
    **PRETTY,
}  # fmt: skip
LIST = {"allowWatchBookmarks": "boolean", "watch": "boolean", **SELECT}
DELETE = {
    "dryRun": "string", "gracePeriodSeconds": "integer", "ignoreStoreReadErrorWithClusterBreakingPotential": "boolean",
    "orphanDependents": "boolean", "propagationPolicy": "string", **PRETTY,
}  # fmt: skip
OF_VERB = {
    "list": LIST, "get": PRETTY, "create": WRITE, "update": WRITE, "patch": {**WRITE, "force": "boolean"}, "delete": DELETE,
    "deletecollection": {**SELECT, **DELETE}, "watch": LIST,
}  # fmt: skip
STREAMS = {"container": "string", "stderr": "boolean", "stdin": "boolean", "stdout": "boolean", "tty": "boolean"}
OF_CONNECTION = {
    "exec": {"command": "string", **STREAMS},
    "attach": STREAMS,
    "portforward": {"ports": "integer"},
    "proxy": {"path": "string"},
}
OF_LOG = {
    "container": "string", "follow": "boolean", "insecureSkipTLSVerifyBackend": "boolean", "limitBytes": "integer",
    "previous": "boolean", "sinceSeconds": "integer", "stream": "string", "tailLines": "integer", "timestamps": "boolean",
    **PRETTY,
}  # fmt: skip

TEXTS = {
    "allowWatchBookmarks": "Whether a watch may be told of newer resource versions between changes, by BOOKMARK events.",
    "command": "The program to run and its arguments, one parameter each; no shell reads it.",
    "container": "The container of the pod that is meant; may be left out if the pod has but one.",
    "continue": "Where the last part of a list ended: give the token of its metadata to get the next part.",
    "dryRun": "'All': do everything but store the result.",
    "fieldManager": "Who makes this change, for managedFields. Must be given for apply patches.",
    "fieldSelector": "Which objects, by their fields. Defaults to everything.",
    "fieldValidation": "What becomes of unknown and duplicate fields: 'Ignore', 'Warn' or 'Strict'.",
    "follow": "Whether to go on with what is logged from now on.",
    "force": "Whether an apply patch takes fields that others own.",
    "gracePeriodSeconds": "Seconds to wait before the object is gone; 0 deletes it at once.",
    "ignoreStoreReadErrorWithClusterBreakingPotential": "Whether an object that cannot be read may be deleted all the same.",
    "insecureSkipTLSVerifyBackend": "Whether to trust a kubelet whose certificate nobody vouches for.",
    "labelSelector": "Which objects, by their labels. Defaults to everything.",
    "limit": "The most objects that one answer holds.",
    "limitBytes": "The most bytes of the log to answer.",
    "orphanDependents": "Deprecated: say it by propagationPolicy.",
    "path": "The path that is asked of what stands behind the proxy.",
    "ports": "The ports to forward.",
    "pretty": "Whether to indent the answer.",
    "previous": "Whether the log of the last container that ended is meant.",
    "propagationPolicy": "What becomes of dependents: 'Orphan', 'Background' or 'Foreground'.",
    "resourceVersion": "How new the answer must be, or since when to watch.",
    "resourceVersionMatch": "What resourceVersion means for a list: 'Exact' or 'NotOlderThan'.",
    "sendInitialEvents": "Whether a watch begins with what is there, and a bookmark at the end of it.",
    "shardSelector": "A share of the objects; an alpha feature that is not on.",
    "sinceSeconds": "Only what was logged in this many seconds before now.",
    "stderr": "Whether the standard error stream is wanted.",
    "stdin": "Whether the client sends a standard input stream.",
    "stdout": "Whether the standard output stream is wanted.",
    "stream": "Which of the streams: 'All', 'Stdout' or 'Stderr'.",
    "tailLines": "Only this many lines from the end.",
    "timeoutSeconds": "The most seconds that a list or a watch may take.",
    "timestamps": "Whether each line begins with its time.",
    "tty": "Whether the streams are a terminal.",
    "watch": "Whether changes are to be told as they come.",
}


@dataclass(frozen=True)
class Form:
    """How a version of OpenAPI writes parameters, bodies and answers."""

    prefix: str  # of references
    version: int

    def query(self, name: str, type: str) -> Tree:
        return self._parameter(name, type, "query", TEXTS[name])

    def path(self, name: str, text: str) -> Tree:
        return {**self._parameter(name, "string", "path", text), "required": True}

    def body(self, schema: Tree, types: tuple[str, ...] = ("*/*",), *, required: bool = True) -> Tree:
        must = {"required": True} if required else {}
        if self.version == 2:
            return {"consumes": list(types), "parameters": [{"name": "body", "in": "body", **must, "schema": schema}]}
        return {"requestBody": {"content": {one: {"schema": schema} for one in types}, **must}}

    def answer(self, text: str, schema: Tree, types: tuple[str, ...]) -> Tree:
        if self.version == 2:
            return {"description": text, "schema": schema}
        return {"description": text, "content": {one: {"schema": schema} for one in types}}

    def head(self, types: tuple[str, ...]) -> Tree:
        """What only version 2 says of every operation."""
        return {"consumes": ["*/*"], "produces": list(types), "schemes": ["https"]} if self.version == 2 else {}

    def reference(self, name: str) -> Tree:
        return {"$ref": self.prefix + name}

    def _parameter(self, name: str, type: str, where: str, text: str) -> Tree:
        kind = {"type": type, "uniqueItems": True}
        return {"name": name, "in": where, "description": text, **(kind if self.version == 2 else {"schema": kind})}
