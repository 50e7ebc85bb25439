"""Hashes that become parts of names: pod-template-hash, controller-revision-hash.

Our choice: FNV-1a over the canonical JSON, where upstream hashes Go's print of the object; nothing but stability is promised of
either. The letters are upstream's safe alphabet.
"""

from typing import Any

import orjson

from kube.api.names import SAFE_ALPHABET

_OFFSET, _PRIME = 2166136261, 16777619


def safe_hash(obj: Any, collisions: int | None = None) -> str:
    """A short name for a JSON value; `collisions` (status.collisionCount) makes another one for the same value."""
    digest = fnv1a(orjson.dumps(obj, option=orjson.OPT_SORT_KEYS))
    if collisions is not None:
        digest = fnv1a(str(collisions).encode(), digest)
    return safe_encode(str(digest))


def safe_encode(text: str) -> str:
    """Each character as one of the safe alphabet (rand.SafeEncodeString)."""
    return "".join(SAFE_ALPHABET[ord(character) % len(SAFE_ALPHABET)] for character in text)


def fnv1a(data: bytes, start: int = _OFFSET) -> int:
    """32-bit FNV-1a."""
    digest = start
    for byte in data:
        digest = (digest ^ byte) * _PRIME & 0xFFFFFFFF
    return digest
