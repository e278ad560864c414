"""What a drawing of an Office file holds beside text: tables, charts, diagrams, pictures."""

from collections.abc import Callable, Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.office.charts import CHART, chart_pieces
from rag.local.reading.office.drawn import A, table_of, words
from rag.local.reading.office.ooxml import RELATION_ID, Package
from rag.local.reading.pictures import Pictures
from rag.local.reading.readout import Piece

DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
EMBEDDED = RELATION_ID.replace("}id", "}embed")
DATA = RELATION_ID.replace("}id", "}dm")


class Graphics:
    """Of one part of a package, which relates it to the others."""

    def __init__(self, package: Package, part: str, pictures: Pictures) -> None:
        self._package = package
        self._targets = {id: each.target for id, each in package.relations(part).items()}
        self._pictures = pictures
        self._said = {""}
        """Charts and diagrams: one in a text box is in the drawing around that, too."""

    def pieces(self, drawn: etree._Element, place: str | None = None) -> Iterator[Piece]:
        """
        Args:
            place: of pictures, as of `Piece`.
        """
        for element in drawn.iter(f"{A}tbl", f"{A}blip", CHART, f"{DIAGRAM}relIds"):
            if element.tag == f"{A}tbl":
                yield Piece("table", table_of(element))
            elif element.tag == f"{A}blip":
                if piece := self._pictures.read(self._target(element, EMBEDDED), place):
                    yield piece
            elif element.tag == CHART:
                yield from self._once(self._target(element, RELATION_ID), chart_pieces)
            else:
                yield from self._once(self._target(element, DATA), _diagram)

    def _target(self, element: etree._Element, name: str) -> str:
        """Name of the part that an attribute leads to; empty where there is none."""
        return self._targets.get(element.get(name, ""), "")

    def _once(
        self, part: str, read: Callable[[etree._Element], Iterator[Piece]]
    ) -> Iterator[Piece]:
        """Nothing where the part is missing: what is drawn around it is sound."""
        if part not in self._said and part in self._package:
            self._said.add(part)
            yield from read(self._package.tree(part))


def _diagram(root: etree._Element) -> Iterator[Piece]:
    for point in root.iter(f"{DIAGRAM}pt"):
        if text := " ".join(words(point).split()):
            yield Piece("list", f"- {text}")
