"""Objects of which only is kept that they are there, and under which name; for informers over metadata.

https://kubernetes.io/docs/reference/using-api/api-concepts/#partial-object-metadata-fetches
"""

import msgspec


class _Owner(msgspec.Struct):
    uid: str
    controller: bool | None = None


class _Meta(msgspec.Struct):
    name: str
    uid: str
    namespace: str | None = None
    resourceVersion: str = ""  # noqa: N815 -- the API's own name
    ownerReferences: list[_Owner] | None = None  # noqa: N815


class ObjectMetadata(msgspec.Struct):
    metadata: _Meta
