"""An OpenDocument presentation, or drawing -> its slides."""

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.office.odf import DRAW, PRESENTATION, SVG, OpenDocument
from rag.local.reading.office.odf_text import OdfText
from rag.local.reading.readout import LEFT_OUT, Leaf, Piece, Readout, bound, heading

FURNITURE = frozenset(("date-time", "footer", "page-number", "header"))


def read_odf_slides(document: OpenDocument) -> Readout:
    slides = [_leaf(page, document) for page in document.body.iterchildren(f"{DRAW}page")]
    named = (slide.name for slide in slides if slide.name)
    return bound(slides, document.title or next(named, None))


def _leaf(page: etree._Element, document: OpenDocument) -> Leaf:
    if page.get(f"{DRAW}style-name") in document.hidden:
        return Leaf("", (), "a hidden slide is left out", LEFT_OUT)
    text = OdfText(document)
    pieces = list(_pieces(page, text))
    titles = (piece.text.lstrip("# ") for piece in pieces if piece.kind == "title")
    return Leaf(next(titles, ""), tuple(pieces), "a slide's own text")


def _pieces(page: etree._Element, text: OdfText) -> Iterator[Piece]:
    frames = [each for each in page if each.get(f"{PRESENTATION}class") not in FURNITURE]
    for frame in sorted(frames, key=lambda each: each.get(f"{PRESENTATION}class") != "title"):
        if frame.tag == f"{PRESENTATION}notes":
            said = "\n".join(piece.text for piece in text.pieces(frame)).strip()
            yield Piece("text", f"Notes: {said}" if said else "")
        elif frame.get(f"{PRESENTATION}class") == "title":
            yield heading(" ".join(piece.text for piece in text.pieces(frame)), 2)
        else:
            yield from text.pieces(frame)
            yield Piece("image", frame.findtext(f"{SVG}desc") or "")
