"""Header blocks are read as the library hpack writes them, and nothing else is taken for one."""

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.storage import header_blocks

NAMES = st.one_of(st.sampled_from([name for name, _ in header_blocks.FIXED_TABLE[1:]]), st.text(min_size=1))
HEADERS = st.dictionaries(NAMES, st.one_of(st.text(), st.sampled_from(["200", "404", "application/grpc"])))


@given(HEADERS, st.booleans())
def test_headers_are_read_as_they_were_written(headers: dict[str, str], packed: bool) -> None:
    """By an encoder whose table has no entries, as a peer's has that keeps to our settings. Rule: RFC 7541"""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    assert header_blocks.decode(encoder.encode(headers.items(), huffman=packed)) == headers


@given(HEADERS)
def test_what_we_write_every_decoder_reads(headers: dict[str, str]) -> None:
    """Rule: RFC 7541 section 6.2.2"""
    short = {name: value for name, value in headers.items() if len(name.encode()) < 127 and len(value.encode()) < 127}
    read = hpack.Decoder().decode(header_blocks.encode(list(short.items())))
    assert {str(name): str(value) for name, value in read} == short


@given(st.binary(max_size=60))
def test_what_is_no_header_block_is_refused(block: bytes) -> None:
    """By a HeaderError, and nothing else. Rule: RFC 7541 section 5"""
    try:
        header_blocks.decode(block)
    except header_blocks.HeaderError:
        return


def test_a_table_that_was_not_allowed_is_refused() -> None:
    """Rule: RFC 7541 section 4.2"""
    for block in (b"\xbe", b"\x3f\xe1\x1f", b"\x88\x40"):
        with pytest.raises(header_blocks.HeaderError):
            header_blocks.decode(block)
