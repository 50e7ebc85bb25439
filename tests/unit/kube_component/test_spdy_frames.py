"""SPDY frames, in whatever pieces they come."""

import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube.component.spdy_frames import (
    DICTIONARY,
    HEAD,
    LARGEST_FRAME,
    Accepted,
    Data,
    Frame,
    GoAway,
    Opened,
    Ping,
    ProtocolError,
    Reader,
    Reset,
    Writer,
)

STREAMS = st.integers(1, 2**31 - 1)
HEADERS = st.dictionaries(st.text("abcdefgh-", min_size=1), st.text())
FRAMES = st.one_of(
    st.builds(Opened, STREAMS, HEADERS, st.booleans()),
    st.builds(Accepted, STREAMS),
    st.builds(Data, STREAMS, st.binary(), st.booleans()),
    st.builds(Reset, STREAMS, st.integers(1, 11)),
    st.builds(Ping, st.integers(0, 2**32 - 1)),
    st.builds(GoAway, STREAMS),
)


def written(writer: Writer, frame: Frame) -> bytes:
    match frame:
        case Opened():
            return writer.opened(frame.stream, frame.headers, frame.fin)
        case Accepted():
            return writer.accepted(frame.stream)
        case Data():
            return writer.data(frame.stream, frame.data, frame.fin)
        case Reset():
            return writer.reset(frame.stream, frame.status)
        case Ping():
            return writer.ping(frame.number)
        case GoAway():
            return writer.go_away(frame.last)


def test_the_dictionary_is_that_of_the_specification() -> None:
    """Its checksum names it to the other side. Rule: SPDY/3.1 draft, 2.6.10.1"""
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


@given(st.lists(FRAMES, max_size=8), st.integers(1, 50))
def test_frames_are_read_as_they_were_written_in_whatever_pieces(frames: list[Frame], size: int) -> None:
    """Rule: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/"""
    writer, reader = Writer(), Reader()
    data = b"".join(written(writer, frame) for frame in frames)
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert [frame for piece in pieces for frame in reader.feed(piece)] == frames


@given(st.binary(max_size=200))
def test_what_is_no_spdy_is_read_over_or_refused(data: bytes) -> None:
    with suppress(ProtocolError):
        list(Reader().feed(data))


def test_a_frame_or_headers_beyond_the_limit_are_refused() -> None:
    with pytest.raises(ProtocolError, match="a frame of"):
        list(Reader().feed(HEAD.pack(1, LARGEST_FRAME + 1)))
    bomb = Writer().opened(1, {"a": "x" * 10_000_000})
    with pytest.raises(ProtocolError, match="headers too large"):
        list(Reader().feed(bomb))
