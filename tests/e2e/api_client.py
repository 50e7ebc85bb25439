"""A client of the cluster's API for the tests.

`VERB PATH` prints the answer, or its code and Location; `socket PATH SUBPROTOCOL` what a WebSocket says until it closes, and
without a subprotocol its first message. The cluster is the one of $KUBECONFIG.
"""

import http.client
import ssl
import sys
from urllib.parse import urlsplit

import websocket

from kube.client.kubeconfig import Config, load


def main() -> None:
    config = load()
    verb, path, *protocols = sys.argv[1:]
    context = config.ssl_context()
    assert context is not None
    if verb == "socket":
        listen(config, context, path, protocols)
        return
    connection = http.client.HTTPSConnection(urlsplit(config.server).netloc, timeout=10, context=context)
    connection.request(verb, path, body="x" if verb in ("POST", "PUT", "PATCH") else None)
    answer = connection.getresponse()
    print(answer.read().decode() if answer.status == 200 else f"{answer.status} {answer.headers.get('location')}")
    connection.close()


def listen(config: Config, context: ssl.SSLContext, path: str, protocols: list[str]) -> None:
    url = config.server.replace("https", "wss") + path
    socket = websocket.create_connection(url, timeout=10, sslopt={"context": context}, subprotocols=protocols or None)
    try:
        while True:
            kind, data = socket.recv_data()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                break
            print(repr(data.decode()))
            if not protocols:
                break
    finally:
        socket.close()


main()
