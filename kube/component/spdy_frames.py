"""SPDY/3.1 frames: bytes to frames and back, for both ends of a connection. Pure.

Kubernetes' exec, attach and port-forward still speak it: many streams, each way closed by itself, over one connection.

    control   1 | version 3 (15 bits) | type (16) | flags (8) | length (24) | body
    data      0 | stream (31 bits)                | flags (8) | length (24) | payload

Headers are compressed by zlib with a dictionary that both know, in one stream of compression for all frames of a direction, so a
Reader and a Writer belong to one connection. Flow control is left out, as upstream's library (moby/spdystream) leaves it out: TCP
does that work. What nobody sends here (settings, priorities, windows) is read over.
https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 0x01  # nothing follows on this stream from this side
REFUSED_STREAM, CANCEL = 3, 5  # why a stream is reset
LARGEST_HEADERS = 64 * 1024  # bytes, unpacked
LARGEST_FRAME = 4 * 1024 * 1024  # bytes; clients send 32 KiB

HEAD = struct.Struct(">II")
NUMBER = struct.Struct(">I")
STREAM_MASK = 0x7FFFFFFF

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length content-location "
    "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer "
    "retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status"
)
_PHRASES = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information"
    "204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error"
    "501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, "
    "Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _text(text: str) -> bytes:
    return NUMBER.pack(len(text.encode())) + text.encode()


DICTIONARY = b"".join(map(_text, (*_WORDS.split(), *_PHRASES))) + _REST.encode()


class ProtocolError(Exception):
    """The other side does not speak SPDY/3.1."""


@dataclass(frozen=True)
class Opened:
    """A new stream."""

    stream: int
    headers: Mapping[str, str] = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True)
class Accepted:
    """The answer to a new stream."""

    stream: int
    fin: bool = False


@dataclass(frozen=True)
class Data:
    stream: int
    data: bytes
    fin: bool = False


@dataclass(frozen=True)
class Reset:
    stream: int
    status: int = CANCEL


@dataclass(frozen=True)
class Ping:
    number: int


@dataclass(frozen=True)
class GoAway:
    """No stream after `last` is looked at."""

    last: int


Frame = Opened | Accepted | Data | Reset | Ping | GoAway


class Reader:
    """Frames from bytes, in whatever pieces they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._headers = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Raises ProtocolError."""
        self._buffer += data
        while len(self._buffer) >= HEAD.size:
            first, second = HEAD.unpack_from(self._buffer)
            flags, length = second >> 24, second & 0xFFFFFF
            if length > LARGEST_FRAME:
                raise ProtocolError(f"a frame of {length} bytes")
            if len(self._buffer) < HEAD.size + length:
                return
            body = bytes(self._buffer[HEAD.size : HEAD.size + length])
            del self._buffer[: HEAD.size + length]
            frame = self._control(first, flags, body) if first >> 31 else Data(first, body, bool(flags & FIN))
            if frame is not None:
                yield frame

    def _control(self, first: int, flags: int, body: bytes) -> Frame | None:
        version, kind = first >> 16 & 0x7FFF, first & 0xFFFF
        if version != VERSION:
            raise ProtocolError(f"SPDY version {version}")
        try:
            number = NUMBER.unpack_from(body)[0] if body else 0
            match kind:
                case 1:
                    return Opened(number & STREAM_MASK, self._unpacked(body[10:]), bool(flags & FIN))
                case 2:
                    self._unpacked(body[4:])
                    return Accepted(number & STREAM_MASK, bool(flags & FIN))
                case 3:
                    return Reset(number & STREAM_MASK, NUMBER.unpack_from(body, 4)[0])
                case 6:
                    return Ping(number)
                case 7:
                    return GoAway(number & STREAM_MASK)
                case 8:
                    self._unpacked(body[4:])  # more headers: nobody asks for them, but they belong to the compression
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise ProtocolError(str(error)) from None
        return None

    def _unpacked(self, block: bytes) -> dict[str, str]:
        data = self._headers.decompress(block, LARGEST_HEADERS)
        if self._headers.unconsumed_tail:
            raise ProtocolError("headers too large")
        (count,) = NUMBER.unpack_from(data)
        texts, position = [], NUMBER.size
        for _ in range(2 * min(count, len(data))):
            (length,) = NUMBER.unpack_from(data, position)
            position += NUMBER.size
            if position + length > len(data):
                raise ProtocolError("headers cut off")
            texts.append(data[position : position + length].decode())
            position += length
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}


class Writer:
    """Bytes of frames."""

    def __init__(self) -> None:
        self._headers = zlib.compressobj(zdict=DICTIONARY)

    def opened(self, stream: int, headers: Mapping[str, str], fin: bool = False) -> bytes:
        return _control(SYN_STREAM, FIN if fin else 0, NUMBER.pack(stream) + bytes(6) + self._packed(headers))

    def accepted(self, stream: int) -> bytes:
        return _control(SYN_REPLY, 0, NUMBER.pack(stream) + self._packed({}))

    def data(self, stream: int, data: bytes, fin: bool = False) -> bytes:
        return HEAD.pack(stream, (FIN if fin else 0) << 24 | len(data)) + data

    def reset(self, stream: int, status: int = CANCEL) -> bytes:
        return _control(RST_STREAM, 0, HEAD.pack(stream, status))

    def ping(self, number: int) -> bytes:
        return _control(PING, 0, NUMBER.pack(number))

    def go_away(self, last: int) -> bytes:
        return _control(GOAWAY, 0, HEAD.pack(last, 0))

    def _packed(self, headers: Mapping[str, str]) -> bytes:
        pairs = b"".join(_text(name.lower()) + _text(value) for name, value in headers.items())
        return self._headers.compress(NUMBER.pack(len(headers)) + pairs) + self._headers.flush(zlib.Z_SYNC_FLUSH)


def _control(kind: int, flags: int, body: bytes) -> bytes:
    return HEAD.pack(0x80000000 | VERSION << 16 | kind, flags << 24 | len(body)) + body
