"""UIDs."""

import uuid

from kube.api.uid import new_uid


def test_a_uid_is_a_random_uuid() -> None:
    """Rule: RFC 9562 section 5.4"""
    made = {new_uid() for _ in range(1000)}
    assert len(made) == 1000
    assert all(
        uuid.UUID(one).version == 4 and uuid.UUID(one).variant == uuid.RFC_4122 and str(uuid.UUID(one)) == one for one in made
    )
