"""A document with headings, over two pages."""

from rag.chunking.markdown import blocks
from rag.domain import Document, DocumentId, Page, version_of

TEXT = """\
# Handbook

Who works here reads this.

## Leave

Thirty days a year are free.

### Sick leave

Call before nine.

## Pay

It comes on the 25th.
"""
ID = DocumentId("doc_1")


def handbook(*, has_pages: bool = False) -> Document:
    pages: tuple[Page, ...] = ()
    if has_pages:
        cut = TEXT.index("## Pay")
        spans = [(0, cut), (cut, len(TEXT))]
        pages = tuple(
            Page(n, start, end, "text-layer", "sound") for n, (start, end) in enumerate(spans, 1)
        )
    version = version_of(TEXT.encode())
    return Document("handbook.md", version, "text/markdown", "Handbook", TEXT, blocks(TEXT), pages)
