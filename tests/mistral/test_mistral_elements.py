"""A long reply is decoded an element at a time, with the same result as at once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from rag.errors import MalformedReply
from rag.mistral.wire import elements
from rag.mistral.wire.decoding import decode
from rag.mistral.wire.elements import decode_each


class Page(Struct, frozen=True):
    index: int
    text: str = ""
    blocks: tuple["Page", ...] = ()


class Book(Struct, frozen=True):
    pages: tuple[Page, ...]
    model: str = ""


@pytest.fixture(autouse=True)
def every_reply_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "_LONG", 0)


def whole_or_error(body: bytes) -> Book | str:
    try:
        return decode(body, Book)
    except MalformedReply as error:
        return str(error)


def each_or_error(body: bytes) -> Book | str:
    try:
        return decode_each(body, Book, "pages", Page)
    except MalformedReply as error:
        return str(error)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of what was decoded at once."""
    lengths: list[int] = []

    def watched(body: bytes, shape: Any) -> Any:
        lengths.append(len(body))
        return decode(body, shape)

    monkeypatch.setattr(elements, "decode", watched)
    return lengths


@pytest.mark.parametrize("form", [{}, {"separators": (",", ":")}, {"indent": 1}])
@pytest.mark.parametrize("text", ['{"index":', '\\"', ']},{"index": 3', "é"])
def test_elements_are_decoded_one_at_a_time(
    form: dict[str, Any], text: str, decoded: list[int]
) -> None:
    pages = [{"index": n, "text": text, "tags": [{"a": [text]}]} for n in range(50)]
    body = json.dumps({"id": text, "pages": pages, "model": "m", "x": [1]}, **form).encode()

    book = decode_each(body, Book, "pages", Page)

    assert book == decode(body, Book)
    assert len(book.pages) == 50
    assert max(decoded) < len(body) / 10


@pytest.mark.parametrize(
    "body",
    [
        '{"pages":[]}',
        '{"pages":[{}]}',
        '{"model":"m"}',
        '{"pages":[{"index":1},{"text":"t","index":2}]}',  # not all begin alike
        '{"pages":[{"text":"t","index":1},{"index":2}]}',
        '{"pages":[{"index":1,"blocks":[{"index":2}]},{"index":3}]}',  # what is inside does
        '{"x":{"pages":[{"index":9}]},"pages":[{"index":1}]}',
        '{"pages":[{"index":1}],"x":{"pages":[{"index":9}]}}',
        '{"pages":[{"index":1}{"index":2}]}',
        '{"pages":[{"index":1},{"index":2},]}',
        '{"pages":[{"index":1},,{"index":2}]}',
        '{"pages":[{"index":1},7,{"index":2}]}',
        '{"pages":[{"index":1},{"index":"two"}]}',
        '{"pages":[{"index":1},{"index":2}',
        '{"pages":[{"index":1},{"index":2}]}}',
        '{"pages":[{"index":1},{"index":2}]} trailing',
        '{"pages":[{"index":1},{"index":2}],"model":7}',
        "",
        "null",
    ],
)
def test_an_unusual_or_broken_reply_is_read_as_ever(body: str) -> None:
    assert each_or_error(body.encode()) == whole_or_error(body.encode())


PAGES = st.lists(st.builds(dict, index=st.integers(0, 9), text=st.text(max_size=5)), max_size=4)


@given(PAGES, st.data())
def test_whatever_is_cut_out_or_put_in_the_result_is_the_same(
    pages: list[dict[str, Any]], data: st.DataObject
) -> None:
    body = json.dumps({"pages": pages, "model": "m"}).encode()
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 12)))
    between = data.draw(
        st.sampled_from([b"", b",", b"{", b"}", b"]", b'"', b"\xff", b'{"index": '])
    )
    broken = body[:start] + between + body[end:]

    assert each_or_error(broken) == whole_or_error(broken)


def test_a_reply_nested_without_end_or_in_no_encoding_is_malformed() -> None:
    deep = b'{"pages":[],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for body in (deep, b'{"pages":[{"index":1,"text":"\xff"}]}'):
        with pytest.raises(MalformedReply):
            decode(body, Book)
        with pytest.raises(MalformedReply):
            decode_each(body, Book, "pages", Page)
