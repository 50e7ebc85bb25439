"""A server that says who it is and who asks, over HTTP and UDP, and asks others on demand: what the official suite's netexec does.

Arguments: the HTTP ports, comma-separated, and the UDP port (0: none). Paths: /hostname, /clientip, and
/dial?host=H&port=P&protocol=http|udp&request=R&tries=N, which asks somebody else N times and tells the answers. A datagram with
`hostname` or `clientip` is answered the same way.
"""

import json
import os
import socket
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SECONDS = 3


def said(word: str, client: tuple[str, int]) -> str:
    return {"hostname": os.uname().nodename, "clientip": f"{client[0]}:{client[1]}"}.get(word.strip().lower(), "")


def ask(host: str, port: str, protocol: str, request: str) -> str:
    if protocol == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(SECONDS)
            asker.sendto(request.encode(), (host, int(port)))
            return asker.recv(1500).decode()
    with urllib.request.urlopen(f"http://{host}:{port}/{request}", timeout=SECONDS) as answer:
        return str(answer.read().decode())


def dial(host: str, port: str, protocol: str, request: str, tries: str) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {"responses": [], "errors": []}
    for _ in range(int(tries)):
        try:
            told["responses"].append(ask(host, port, protocol, request))
        except OSError as error:
            told["errors"].append(str(error))
    return told


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/dial":
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = json.dumps(dial(asked["host"], asked["port"], asked["protocol"], asked["request"], asked["tries"]))
        else:
            body = said(url.path[1:], self.client_address)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def answer_datagrams(port: int) -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", port))
    while True:
        message, client = server.recvfrom(1500)
        server.sendto(said(message.decode(), client).encode(), client)


servers = [ThreadingHTTPServer(("0.0.0.0", int(port)), Handler) for port in sys.argv[1].split(",")]
threads = [threading.Thread(target=server.serve_forever) for server in servers]
if int(sys.argv[2]):
    threads.append(threading.Thread(target=answer_datagrams, args=(int(sys.argv[2]),)))
for thread in threads:
    thread.start()
