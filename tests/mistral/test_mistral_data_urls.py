"""A document goes into a request as it is."""

import base64

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.mistral.ocr import data_urls
from rag.mistral.ocr.data_urls import data_url


@settings(max_examples=40)
@given(st.binary(max_size=50), st.sampled_from([3, 6, 9]))
def test_the_bytes_come_back_whatever_the_pieces(content: bytes, piece: int) -> None:
    whole, data_urls._PIECE = data_urls._PIECE, piece
    try:
        written = data_url(content, "image/png")
        url = msgspec.json.decode(b"".join(written.pieces()), type=str)
    finally:
        data_urls._PIECE = whole

    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data, validate=True) == content


@given(st.integers(0, 1_000))
def test_its_length_is_known_before_it_is_written(n: int) -> None:
    written = data_url(bytes(n), "image/png")

    assert written.length == len(b"".join(written.pieces()))


def test_what_it_holds_is_not_shown() -> None:
    written = data_url(b"secret", "image/png")

    assert "secret" not in repr(written)
    assert "c2VjcmV0" not in repr(written)
