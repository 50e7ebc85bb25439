"""IntOrString: a number, or a percentage of some total.

https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#intorstring-intstr-util
"""

import math


def resolve(value: int | str, total: int, *, round_up: bool) -> int:
    """The number meant. Raises ValueError for a text that is no percentage."""
    if isinstance(value, int):
        return value
    share = percentage(value) * total / 100
    return math.ceil(share) if round_up else math.floor(share)


def percentage(text: str) -> int:
    """25 for "25%"."""
    if not (text.endswith("%") and text[:-1].isdigit()):
        raise ValueError(f"invalid value for IntOrString: invalid type: string is not a percentage: {text!r}")
    return int(text[:-1])
