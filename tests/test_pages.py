"""Pages that were read by different readers become one text."""

from rag.domain import Block, Document, Doubt, Line, Page, Version
from rag.pages import LoosePage, composed, pages_of

BOX = (0.1, 0.1, 0.9, 0.2)


def page(number: int, text: str, reader: str = "text-layer") -> LoosePage:
    """One block of one line, behind a mark of two characters."""
    lines = (Line(2, len(text), BOX),)
    doubts = (Doubt(2, len(text), 0.4),)
    block = Block("title", 0, len(text), 1, page=number, box=BOX, lines=lines, doubts=doubts)
    whole = Page(number, 0, len(text), reader, "sound")
    return LoosePage(text, whole, (block,) if text else ())


def document(*pages: LoosePage) -> Document:
    text, blocks, moved = composed(pages)
    version = Version("sha256:0")
    return Document("a.pdf", version, "application/pdf", "A", text, blocks, moved)


def test_pages_stand_one_below_the_other_and_spans_move_with_them() -> None:
    text, blocks, pages = composed([page(1, "# One"), page(2, ""), page(5, "# Five", "an-ocr")])

    assert text == "# One\n\n# Five"
    assert [(each.number, text[each.start : each.end], each.reader) for each in pages] == [
        (1, "# One", "text-layer"),
        (2, "", "text-layer"),
        (5, "# Five", "an-ocr"),
    ]
    assert [text[block.start : block.end] for block in blocks] == ["# One", "# Five"]
    assert [text[line.start : line.end] for b in blocks for line in b.lines] == ["One", "Five"]
    assert [text[doubt.start : doubt.end] for b in blocks for doubt in b.doubts] == ["One", "Five"]


def test_a_document_taken_apart_and_put_together_is_the_same() -> None:
    whole = document(page(1, ""), page(2, "# Two"), page(3, ""), page(4, "# Four"), page(5, ""))

    apart = pages_of(whole)

    assert [each.text for each in apart] == ["", "# Two", "", "# Four", ""]
    assert document(*apart) == whole


def test_a_page_can_be_replaced_by_what_another_reader_made_of_it() -> None:
    local = document(page(1, "# One"), page(2, "", "none"), page(3, "# Three"))
    recognized = {2: page(2, "# Two", "an-ocr")}

    text, blocks, pages = composed(
        recognized.get(each.page.number, each) for each in pages_of(local)
    )

    assert text == "# One\n\n# Two\n\n# Three"
    assert [block.page for block in blocks] == [1, 2, 3]
    assert [each.reader for each in pages] == ["text-layer", "an-ocr", "text-layer"]
