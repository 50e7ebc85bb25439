"""Defaults: each default that OpenAPI version 3 names is set."""


async def defaults(folder, client):
    return
    yield
