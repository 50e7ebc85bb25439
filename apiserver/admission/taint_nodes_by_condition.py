"""TaintNodesByCondition: a new node takes no pods until the node controller has seen it Ready.

https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition
"""

from apiserver.context import AdmissionAttributes, Server

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition:
    name = "TaintNodesByCondition"
    kinds = ("Node",)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if attributes.resource.kind != "Node" or attributes.subresource or attributes.operation != "CREATE":
            return
        assert attributes.object is not None, "a create has an object"
        taints = attributes.object.setdefault("spec", {}).setdefault("taints", [])
        if NOT_READY not in taints:
            taints.append(dict(NOT_READY))
