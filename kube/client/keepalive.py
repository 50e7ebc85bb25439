"""TCP keep-alive: a peer that vanished without a word (power cut, partition) is noticed by the kernel, not by a poll.

An idle watch reads for minutes; without this it would wait for ever on a connection whose other end no longer exists.
tcp(7) · client-go asks the same of HTTP/2 by a ping every 30 s
"""

import socket
from typing import Any

IDLE_SECONDS = 30  # without a byte, until the kernel asks
BETWEEN_SECONDS = 10  # until it asks again
UNANSWERED_MS = 30_000  # until a question, or data sent, without an answer ends the connection


def keep_alive(one: Any) -> None:
    """Set the options on a socket; what a listener accepts inherits them from it."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_SECONDS)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, BETWEEN_SECONDS)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)
