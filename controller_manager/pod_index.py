"""Pod index: the pods of a node, straight from the cache."""

from collections.abc import Iterable

from kube.api.types import Pod
from kube.client.cache import Cache

NODE = "node"


def index_by_node(cache: Cache[Pod]) -> None:
    cache.add_index(NODE, _node)


def on_node(cache: Cache[Pod], node: str) -> list[Pod]:
    """Needs `index_by_node` before."""
    return cache.by_index(NODE, node)


def _node(pod: Pod) -> Iterable[str]:
    return (pod.spec.nodeName,) if pod.spec.nodeName else ()
