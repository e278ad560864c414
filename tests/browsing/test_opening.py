"""A document is read on from any place, whole blocks at a time, and pages turn without a gap."""

from collections.abc import Sequence

import msgspec
import pytest

from rag.browsing.opening import Opened, Place, opened
from rag.domain import Document
from rag.errors import NotFound
from tests.browsing.pages_of_text import ID, TEXT, handbook


def count(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def read(document: Document, place: Place, room: int = 12, before: float = 0.0) -> Opened:
    part = opened(document, ID, place, room, count, before=before)
    assert part.text == document.text[part.start : part.end]
    return part


def test_a_place_is_opened_at_its_block_with_what_stands_over_it() -> None:
    part = read(handbook(), Place(TEXT.index("before nine")))

    assert part.text.startswith("Call before nine.")
    assert part.heading_path == ("Handbook", "Leave", "Sick leave")
    assert part.lines == (11, 15)
    assert [block.kind for block in part.blocks] == ["text", "title", "text"]
    assert part.tokens == 3 + 2 + 5
    assert part.next is None


def test_pages_turn_forward_and_back_without_a_gap() -> None:
    document, place, parts = handbook(), 0, []
    while True:
        parts.append(part := read(document, Place(place), room=9))
        if part.next is None:
            break
        place = part.next
    words = " ".join(part.text for part in parts).split()

    assert words == TEXT.split()
    assert all(part.tokens <= 9 for part in parts)
    back = read(document, Place(parts[-1].previous or 0), room=9)
    assert back.end <= parts[-1].start
    assert not TEXT[back.end : parts[-1].start].strip()


def test_a_share_may_stand_before_the_place() -> None:
    part = read(handbook(), Place(TEXT.index("Call")), room=16, before=0.7)

    assert part.text.startswith("## Leave")
    assert "Call before nine." in part.text


def test_a_page_is_opened_by_its_number() -> None:
    part = read(handbook(has_pages=True), Place(page=2))

    assert part.text.startswith("## Pay")
    assert (part.pages, part.lines) == ((2,), None)


@pytest.mark.parametrize("place", [Place(at=len(TEXT)), Place(page=3)])
def test_a_place_that_is_not_there_is_told(place: Place) -> None:
    with pytest.raises(NotFound):
        read(handbook(has_pages=True), place)


def test_a_block_of_any_length_is_read_in_parts() -> None:
    text = "word " * 10_000
    document = msgspec.structs.replace(handbook(), text=text, blocks=())
    part = read(document, Place(5_000), room=500)

    assert part.tokens <= 500
    assert part.previous is not None
    assert part.next == part.end
    assert part.start <= 5_000 < part.end


def test_an_empty_document_is_opened_too() -> None:
    document = msgspec.structs.replace(handbook(), text="", blocks=())

    assert read(document, Place()).text == ""
