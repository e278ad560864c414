"""A request is encoded in pieces, and says the same as if it were encoded whole."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from rag.mistral.wire.encoding import LongString, encoded


class Note(Struct, frozen=True):
    title: str
    texts: tuple[msgspec.Raw | LongString, ...]
    end: str = "end"


def long(text: str) -> LongString:
    written = msgspec.json.encode(text)

    def pieces() -> Iterator[bytes]:
        yield from (written[at : at + 1] for at in range(len(written)))

    return LongString(len(written), pieces)


@given(st.text(), st.lists(st.text(), max_size=4))
def test_long_strings_stand_where_they_belong(title: str, texts: list[str]) -> None:
    body = encoded(Note(title, tuple(map(long, texts))))

    assert msgspec.json.decode(body.whole()) == {"title": title, "texts": texts, "end": "end"}
    assert body.length == len(body.whole())
    assert b"".join(body.pieces()) == body.whole()  # again, for another attempt


def test_no_piece_is_long() -> None:
    body = encoded(Note("t" * 3_000_000, ()))

    assert max(map(len, body.pieces())) <= 256 * 1024


def test_what_has_no_form_in_json_is_not_sent() -> None:
    with pytest.raises(NotImplementedError):
        encoded(Note("t", (object(),)))  # type: ignore[arg-type]  # wrong on purpose


def test_what_it_holds_is_not_shown() -> None:
    assert "secret" not in repr(encoded(Note("secret", ())))
