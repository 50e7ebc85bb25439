"""Shuffle sharding: each flow may use a few queues of a level, chosen by its name, so that a flow that floods its own hardly meets
another one in all of them. Pure.

KEP-1040 (Fair Queuing for Server Requests) · apiserver pkg/util/shufflesharding
"""

import hashlib


def hand(name: str, queues: int, size: int) -> tuple[int, ...]:
    """The queues of a flow: `size` different numbers below `queues`, dealt like cards."""
    value = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    dealt: list[int] = []
    for left in range(queues, queues - size, -1):
        value, card = divmod(value, left)
        for other in sorted(dealt):
            if card >= other:
                card += 1
        dealt.append(card)
    return tuple(dealt)
