"""A server for the proxies to reach: answers each verb with what it was asked, speaks WebSocket at /socket. Prints its port."""

import asyncio
import base64
import hashlib
import sys

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].split(b" ")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if target.startswith(b"/socket"):
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: %s\r\n\r\n\x82\x05hello" % accept)
        await reader.read()
    else:
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        said = b'{"Method":"%s","Target":"%s","Body":"%s"}' % (method, target, body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said))
        writer.write(said if method != b"HEAD" else b"")
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "0.0.0.0", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    sys.stdout.close()
    await server.serve_forever()


asyncio.run(main())
