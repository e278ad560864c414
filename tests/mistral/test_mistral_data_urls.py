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
        url = msgspec.json.decode(data_url(content, "image/png"), type=str)
    finally:
        data_urls._PIECE = whole

    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data, validate=True) == content


def test_what_it_holds_is_not_shown() -> None:
    assert "c2VjcmV0" not in repr(data_url(b"secret", "image/png"))
