"""Taints and tolerations: which taints a pod puts up with.

An empty effect tolerates every effect; an empty key (with Exists) every key.
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

from collections.abc import Iterable

from kube.api.types import Taint, Toleration


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and (toleration.value or "") == (taint.value or "")


def untolerated(tolerations: Iterable[Toleration] | None, taints: Iterable[Taint], effects: tuple[str, ...]) -> list[Taint]:
    """The taints with one of these effects that no toleration covers."""
    known = tuple(tolerations or ())
    return [taint for taint in taints if taint.effect in effects and not any(tolerates(one, taint) for one in known)]
