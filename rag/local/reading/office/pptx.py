"""A presentation -> its slides: titles, text, tables, charts, diagrams and speaker's notes."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.office.charts import chart_pieces
from rag.local.reading.office.drawn import A, paragraphs, table_of, words
from rag.local.reading.office.ooxml import RELATION_ID, Package, Relation
from rag.local.reading.office.pictures import Pictures
from rag.local.reading.office.slide_shapes import P, PlacedShape, placed_shapes, slide_size
from rag.local.reading.readout import LEFT_OUT, Leaf, Piece, Readout, bound, heading

ReadDrawn: TypeAlias = Callable[[etree._Element], Iterator[Piece]]

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
FURNITURE = frozenset(("dt", "ftr", "hdr", "sldNum", "sldImg"))
TITLES = frozenset(("title", "ctrTitle"))
LISTS = frozenset(("body", "obj", ""))
"""Placeholders whose paragraphs are bullets, unless there is only one."""


def read_pptx(package: Package, pictures: Pictures) -> Readout:
    """
    Raises:
        InvalidDocument: a part is missing or damaged.
    """
    main = package.main()
    root = package.tree(main)
    relations = package.relations(main)
    ids = (slide.get(RELATION_ID, "") for slide in root.iterfind(f"{P}sldIdLst/{P}sldId"))
    names = (relations[id].target for id in ids if id in relations)
    size = slide_size(root)
    leaves = [_leaf(package, pictures, name, size) for name in names if name in package]
    return bound(leaves, package.title or next((leaf.name for leaf in leaves if leaf.name), None))


def _leaf(package: Package, pictures: Pictures, name: str, size: tuple[int, int]) -> Leaf:
    root = package.tree(name)
    if root.get("show") in ("0", "false"):
        return Leaf("", (), "a hidden slide is left out", LEFT_OUT)
    slide = _Slide(package, pictures, name)
    pieces = tuple(slide.pieces(placed_shapes(root, size)))
    return Leaf(slide.title, (*pieces, *_notes(package, name)), "a slide's own text")


class _Slide:
    def __init__(self, package: Package, pictures: Pictures, name: str) -> None:
        self.title = ""
        self._pictures = pictures
        self._package = package
        self._relations: dict[str, Relation] = package.relations(name)

    def pieces(self, shapes: list[PlacedShape]) -> Iterator[Piece]:
        for shape in sorted(shapes, key=lambda each: each.role not in TITLES):
            yield from self._shape(shape)

    def _shape(self, shape: PlacedShape) -> Iterator[Piece]:
        if shape.role in FURNITURE:
            return
        if shape.element.tag == f"{P}graphicFrame":
            yield from self._graphic(shape.element)
        elif shape.role in TITLES:
            text = " ".join(words(shape.element).split())
            self.title = self.title or text
            yield heading(text, 2)
        else:
            yield from paragraphs(shape.element, as_list=shape.role in LISTS)
            if shape.element.tag == f"{P}pic":
                yield Piece("image", shape.description)
                yield from self._pictures.pieces(shape.element, self._relations)

    def _graphic(self, frame: etree._Element) -> Iterator[Piece]:
        for element in frame.iter(f"{A}tbl", CHART, f"{DIAGRAM}relIds"):
            if element.tag == f"{A}tbl":
                yield Piece("table", table_of(element))
            elif element.tag == CHART:
                yield from self._drawn(element.get(RELATION_ID, ""), chart_pieces)
            else:
                data = element.get(RELATION_ID.replace("}id", "}dm"), "")
                yield from self._drawn(data, _diagram)

    def _drawn(self, id: str, read: ReadDrawn) -> Iterator[Piece]:
        relation = self._relations.get(id)
        if relation is not None and relation.target in self._package:
            yield from read(self._package.tree(relation.target))


def _diagram(root: etree._Element) -> Iterator[Piece]:
    for point in root.iter(f"{DIAGRAM}pt"):
        if text := " ".join(words(point).split()):
            yield Piece("list", f"- {text}")


def _notes(package: Package, name: str) -> Iterator[Piece]:
    for part in package.related(name, "notesSlide"):
        for shape in package.tree(part).iter(f"{P}sp"):
            role = shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
            if role is not None and role.get("type") == "body" and (text := words(shape).strip()):
                yield Piece("text", f"Notes: {text}")
