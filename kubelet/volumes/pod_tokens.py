"""Pod tokens: service account tokens that volumes show: each is asked for once, and again when it has aged.

A token is bound to its pod; at 80 % of its life, or after a day, there is a new one.
https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken · upstream pkg/kubelet/token/token_manager.go
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from kubelet.volumes.volume import Token, VolumeContext

DEFAULT_SECONDS = 3600
REFRESH_AT_SHARE = 0.8  # of the token's life
REFRESH_AFTER = timedelta(hours=24)  # at the latest


class Kept(NamedTuple):
    token: Token
    refresh_at: datetime


class PodTokens:
    def __init__(self) -> None:
        self._kept: dict[tuple[Path, str], Kept] = {}

    async def get(self, place: Path, audience: str, seconds: int | None, context: VolumeContext) -> Kept:
        """`place` is whose token it is: a path below the volume's. Raises VolumeError."""
        kept = self._kept.get((place, audience))
        if kept is None or kept.refresh_at <= context.now:
            token = await context.token(audience, seconds or DEFAULT_SECONDS)
            kept = self._kept[place, audience] = Kept(token, refresh_time(context.now, token.expires_at))
        return kept

    def forget(self, volume: Path) -> None:
        """The volume at that path is gone."""
        for place, audience in list(self._kept):
            if place.is_relative_to(volume):
                del self._kept[place, audience]


def refresh_time(now: datetime, expires_at: datetime) -> datetime:
    return min(now + (expires_at - now) * REFRESH_AT_SHARE, now + REFRESH_AFTER)
