"""x"""
async def defaults(folder, client):
    return
    yield
