"""Session: answers of an API server as they come over HTTP, without a client's reading of them."""

from typing import Any

import aiohttp

from tests.component.conftest import ADMIN_TOKEN


class Session:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def told(self, method: str, path: str, tree: Any = None, token: str = ADMIN_TOKEN, **headers: str) -> tuple[Any, ...]:
        """Code, headers and object (or text) of the answer."""
        headers = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, path, json=tree, headers=headers) as answer:
            body = await (answer.json() if answer.content_type == "application/json" else answer.text())
            return answer.status, answer.headers, body
