"""Events are the same wherever the bytes were cut."""

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.mistral.chat.streaming import EventParser, events


def parsed(*pieces: bytes) -> list[bytes]:
    parser = EventParser()
    return [data for piece in pieces for data in parser.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (b"data: one\n\n", [b"one"]),
        (b"data: one\r\n\r\n", [b"one"]),
        (b"data: one\r\r", [b"one"]),
        (b"data: one\n\r\n", [b"one"]),
        (b"data: one\r\n\n", [b"one"]),
        (b"data: one\r\n\r", [b"one"]),
        (b"data:one\n\n", [b"one"]),
        (b"data:  one \n\n", [b" one "]),  # one space belongs to the field, others to the data
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data: one\n\n\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data: a\rdata: b\r\n\r\n", [b"a\nb"]),
        (b"data\n\n", [b""]),
        (b"data:\ndata\n\n", [b"\n"]),
        (b"data: a:b\n\n", [b"a:b"]),
        (b": a comment\ndata: one\n: another\n\n: and one more\n\n", [b"one"]),
        (b"event: message\nid: 7\nretry: 10\ndata: one\n\n", [b"one"]),
        (b"event: ping\n\ndata: one\n\n", [b"one"]),
        (b"database: no\n data: no\nDATA: no\n\n", []),
        (b"\xef\xbb\xbfdata: one\n\n", [b"one"]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: one\n\n", []),  # only one mark is one
        (b"data: one\n\n\xef\xbb\xbfdata: two\n\n", [b"one"]),  # and only at the start
        ("data: 日本🙂\n\n".encode(), ["日本🙂".encode()]),
        (b"data: one\n", []),  # cut off: no event
        (b"data: one\n\ndata: two", [b"one"]),
        (b"\n\n\n", []),
    ],
)
def test_a_stream_becomes_the_same_events_wherever_it_is_cut(
    stream: bytes, expected: list[bytes]
) -> None:
    assert parsed(stream) == expected
    for cut in range(len(stream) + 1):
        assert parsed(stream[:cut], stream[cut:]) == expected
        assert parsed(stream[:cut], b"", stream[cut:]) == expected
    assert parsed(*(bytes([byte]) for byte in stream)) == expected


LINES = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]))
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
COMMENTS = st.lists(LINES.map(lambda text: ":" + text), max_size=2)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream as somebody may send it, and what it says."""
    stream = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    said = draw(st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=4))
    for data in said:
        lines = [*draw(COMMENTS), *(f"data: {line}" for line in data), *draw(COMMENTS), ""]
        end = draw(ENDS)  # CR LF is one end, so they may not be mixed at will
        stream += b"".join(line.encode() + end for line in lines)
    return stream, ["\n".join(data).encode() for data in said]


@settings(deadline=None, max_examples=150)
@given(streams(), st.lists(st.integers(0, 400), max_size=8))
def test_what_was_said_is_heard(stream: tuple[bytes, list[bytes]], cuts: Sequence[int]) -> None:
    sent, said = stream
    places = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    pieces = [sent[a:b] for a, b in pairwise(places)]

    assert parsed(*pieces) == said


@pytest.mark.anyio
async def test_an_event_is_told_before_the_next_piece_is_waited_for() -> None:
    heard: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"data: one\n\nda"
        assert heard == [b"one"]
        yield b"ta: two\r\n\r"
        assert heard == [b"one", b"two"]

    async for data in events(pieces()):
        heard.append(data)
