"""A presentation -> its slides: titles, text, tables, charts, diagrams and speaker's notes."""

from collections.abc import Iterator

from rag.local.reading.office.drawn import paragraphs, words
from rag.local.reading.office.graphics import Graphics
from rag.local.reading.office.ooxml import RELATION_ID, Package
from rag.local.reading.office.slide_shapes import P, PlacedShape, placed_shapes, slide_size
from rag.local.reading.pictures import Pictures
from rag.local.reading.readout import LEFT_OUT, Leaf, Piece, Readout, bound, heading
from rag.local.reading.task import Task

FURNITURE = frozenset(("dt", "ftr", "hdr", "sldNum", "sldImg"))
TITLES = frozenset(("title", "ctrTitle"))
LISTS = frozenset(("body", "obj", ""))
"""Placeholders whose paragraphs are bullets, unless there is only one."""


def read_pptx(package: Package, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: a part is missing or damaged.
    """
    main = package.main()
    root = package.tree(main)
    relations = package.relations(main)
    ids = (slide.get(RELATION_ID, "") for slide in root.iterfind(f"{P}sldIdLst/{P}sldId"))
    names = (relations[id].target for id in ids if id in relations)
    size, pictures = slide_size(root), Pictures(package, task)
    leaves = [_leaf(package, pictures, name, size) for name in names if name in package]
    return bound(leaves, package.title or next((leaf.name for leaf in leaves if leaf.name), None))


def _leaf(package: Package, pictures: Pictures, name: str, size: tuple[int, int]) -> Leaf:
    root = package.tree(name)
    if root.get("show") in ("0", "false"):
        return Leaf("", (), "a hidden slide is left out", LEFT_OUT)
    slide = _Slide(Graphics(package, name, pictures))
    pieces = tuple(slide.pieces(placed_shapes(root, size)))
    return Leaf(slide.title, (*pieces, *_notes(package, name)), "a slide's own text")


class _Slide:
    def __init__(self, graphics: Graphics) -> None:
        self.title = ""
        self._graphics = graphics

    def pieces(self, shapes: list[PlacedShape]) -> Iterator[Piece]:
        for shape in sorted(shapes, key=lambda each: each.role not in TITLES):
            yield from self._shape(shape)

    def _shape(self, shape: PlacedShape) -> Iterator[Piece]:
        if shape.role in FURNITURE:
            return
        if shape.element.tag == f"{P}graphicFrame":
            yield from self._graphics.pieces(shape.element)
        elif shape.role in TITLES:
            text = " ".join(words(shape.element).split())
            self.title = self.title or text
            yield heading(text, 2)
        else:
            yield from paragraphs(shape.element, as_list=shape.role in LISTS)
            if shape.element.tag == f"{P}pic":
                yield Piece("image", shape.description)
                yield from self._graphics.pieces(shape.element)


def _notes(package: Package, name: str) -> Iterator[Piece]:
    for part in package.related(name, "notesSlide"):
        for shape in package.tree(part).iter(f"{P}sp"):
            role = shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
            if role is not None and role.get("type") == "body" and (text := words(shape).strip()):
                yield Piece("text", f"Notes: {text}")
