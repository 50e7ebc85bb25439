"""Header blocks: HTTP/2's compressed headers (HPACK), read without the table that a connection builds up.

We announce a table of no entries (HEADER_TABLE_SIZE 0), so a block has names and pairs of the fixed table and literals alone, and
means the same whenever it comes. Literals may be packed by Huffman's code, which is canonical: the length of each byte's code tells
all codes. Why not the library hpack: importing its decoding table takes longer than reading all headers of a server's life.
RFC 7541
"""

from functools import cache

# Appendix A, from index 1 on: the pairs that have a value, and then names.
PAIRS = (
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"),
    (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate"),
)  # fmt: skip
NAMES = (
    "accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition "
    "content-encoding content-language content-length content-location content-range content-type cookie date etag expect expires "
    "from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards "
    "proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security "
    "transfer-encoding user-agent vary via www-authenticate"
)
FIXED_TABLE = (("", ""), *PAIRS, *((name, "") for name in NAMES.split()))

# Appendix B: how many bits the code of each byte has, and at last that of the end.
CODE_LENGTHS = (
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28,
    28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13,
    6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6,
    6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23,
    23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23,
    22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21,
    22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
)  # fmt: skip
LONGEST_PADDING = 7  # bits at the end of what is packed, all of them ones


class HeaderError(ValueError):
    """The bytes are no header block, or one that needs a table."""


def decode(block: bytes) -> dict[str, str]:
    """Name to value; of a name that is repeated, the last one. Raises HeaderError."""
    try:
        return dict(_decode(block))
    except (IndexError, UnicodeDecodeError):
        raise HeaderError("a header block that ends too soon, or names what there is not") from None


def encode(headers: list[tuple[str, str]]) -> bytes:
    """Literals without indexing: bytes that mean the same on every connection."""
    return b"".join(b"\x00" + _literal(name) + _literal(value) for name, value in headers)


def _literal(text: str) -> bytes:
    data = text.encode()
    assert len(data) < 127, "longer ones take another form"
    return bytes((len(data),)) + data


def _decode(block: bytes) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:  # a pair of the fixed table
            index, at = _integer(block, at, 7)
            headers.append(_fixed(index))
        elif first & 0xE0 == 0x20:  # the size of the table
            size, at = _integer(block, at, 5)
            if size:
                raise HeaderError("a table that was not allowed")
        else:  # a literal: to be indexed (6 bits; there is no table), without, or never
            index, at = _integer(block, at, 6 if first & 0x40 else 4)
            name = _fixed(index)[0]
            if not index:
                name, at = _text(block, at)
            value, at = _text(block, at)
            headers.append((name, value))
    return headers


def _fixed(index: int) -> tuple[str, str]:
    if index >= len(FIXED_TABLE):
        raise HeaderError("an entry of a table that was not allowed")
    return FIXED_TABLE[index]


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """Section 5.1: what fits in the first byte's last bits, or more."""
    most = (1 << bits) - 1
    value = block[at] & most
    at += 1
    if value < most:
        return value, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _text(block: bytes, at: int) -> tuple[str, int]:
    packed = block[at] & 0x80
    length, at = _integer(block, at, 7)
    end = at + length
    if end > len(block):
        raise HeaderError("a text that ends too soon")
    data = block[at:end]
    return (_unpacked(data) if packed else data).decode(), end


def _unpacked(data: bytes) -> bytes:
    """Bit by bit: it is done once for each text that a server ever says."""
    codes, made = _codes(), bytearray()
    code, length = 0, 0
    for byte in data:
        for shift in range(7, -1, -1):
            code, length = code << 1 | byte >> shift & 1, length + 1
            symbol = codes.get((length, code))
            if symbol is not None:
                made.append(symbol)
                code, length = 0, 0
    if length > LONGEST_PADDING or code != (1 << length) - 1:
        raise HeaderError("a text that ends within a byte's code")
    return bytes(made)


@cache
def _codes() -> dict[tuple[int, int], int]:
    """(length, code) to byte: the codes of one length follow one another, and begin where those of the one before end."""
    codes: dict[tuple[int, int], int] = {}
    code = before = 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(CODE_LENGTHS[:-1])):
        code <<= length - before
        codes[length, code] = symbol
        code, before = code + 1, length
    return codes
