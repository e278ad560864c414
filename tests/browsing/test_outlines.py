"""A document's headings are a tree in which one can go up, down and aside."""

import msgspec

from rag.browsing.outlines import headings_at, outline
from rag.browsing.verbs import WHOLE
from tests.browsing.pages_of_text import ID, TEXT, handbook


def test_all_headings_stand_in_reading_order_with_their_spans() -> None:
    whole = outline(handbook(), ID, None, WHOLE)

    assert [(s.level, s.heading, s.sections) for s in whole.sections] == [
        (1, "Handbook", 3),
        (2, "Leave", 1),
        (3, "Sick leave", 0),
        (2, "Pay", 0),
    ]
    leave = whole.sections[1]
    assert TEXT[leave.start : leave.end].startswith("## Leave")
    assert TEXT[leave.end :].startswith("## Pay")
    assert (leave.line, leave.page) == (5, None)
    assert whole.here is None


def test_a_place_knows_its_section_what_is_above_and_what_is_beside_it() -> None:
    at = outline(handbook(), ID, TEXT.index("Thirty"), WHOLE)

    assert at.here is not None
    assert at.parent is not None
    assert at.next is not None
    assert at.here.heading_path == ("Handbook",)
    assert (at.here.heading, at.parent.heading, at.next.heading) == ("Leave", "Handbook", "Pay")
    assert at.previous is None
    assert [section.heading for section in at.sections] == ["Sick leave"]


def test_levels_below_what_was_asked_for_are_left_to_the_next_look() -> None:
    top = outline(handbook(), ID, None, 1)

    assert [(s.heading, s.sections) for s in top.sections] == [("Handbook", 3)]


def test_without_headings_the_pages_are_the_sections() -> None:
    text_alone = tuple(block for block in handbook().blocks if block.kind != "title")
    document = msgspec.structs.replace(handbook(has_pages=True), blocks=text_alone)
    at = outline(document, ID, TEXT.index("It comes"), WHOLE)

    assert at.here is not None
    assert at.previous is not None
    assert (at.here.heading, at.previous.heading) == ("page 2", "page 1")


def test_a_heading_does_not_stand_over_itself() -> None:
    assert headings_at(handbook(), TEXT.index("### Sick")) == ("Handbook", "Leave")
    assert headings_at(handbook(), TEXT.index("Call")) == ("Handbook", "Leave", "Sick leave")
