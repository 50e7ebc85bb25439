"""DefaultTolerationSeconds: pods stay five minutes on a node that went away, unless they say otherwise.

On updates, too: an applied list of tolerations takes the place of the one that was there.

https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Tree

KEYS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
SECONDS = 300


class DefaultTolerationSeconds:
    name = "DefaultTolerationSeconds"
    kinds = ("Pod",)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if attributes.resource.kind != "Pod" or attributes.subresource or attributes.operation not in ("CREATE", "UPDATE"):
            return
        assert attributes.object is not None, "a write has an object"
        tolerations = attributes.object["spec"].setdefault("tolerations", [])
        for key in KEYS:
            if not any(_covers(one, key) for one in tolerations):
                tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS})
        if not tolerations:
            del attributes.object["spec"]["tolerations"]


def _covers(toleration: Tree, key: str) -> bool:
    return toleration.get("key") in (key, "", None) and toleration.get("effect") in ("NoExecute", "", None)
