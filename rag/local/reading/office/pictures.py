"""Pictures in Office files -> what is written on them, by OCR, within bounds."""

import io
import warnings

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from PIL import Image

from rag.errors import InvalidDocument
from rag.local.reading.images import FORMATS, read_image
from rag.local.reading.office.drawn import A
from rag.local.reading.office.ooxml import Package, Relation
from rag.local.reading.readout import Piece
from rag.local.reading.task import Task

EMBEDDED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"
MOST = 24
"""Pictures of one file that are recognized, in their order: a picture takes a second or two."""
SMALLEST = 60_000
"""Pixels of a picture with words on it that matter: an icon has fewer."""
LOWEST = 40
"""Pixels of its shorter side: two lines of print."""
SURE = 0.6
"""Confidence of what is believed to be written there: textures are read with less."""
FEWEST = 4
"""Letters and digits, at least."""


class Pictures:
    """Of one file. What comes back (a logo on each slide) is said once."""

    def __init__(self, package: Package, task: Task) -> None:
        self._package = package
        self._task = task
        self._seen: set[str] = set()
        self._left = MOST

    def pieces(self, drawn: etree._Element, relations: dict[str, Relation]) -> list[Piece]:
        """Of an element of a part with these relations, whatever pictures are in it."""
        ids = (blip.get(EMBEDDED, "") for blip in drawn.iter(f"{A}blip"))
        found = (self._piece(relations[id].target) for id in ids if id in relations)
        return [piece for piece in found if piece]

    def _piece(self, part: str) -> Piece | None:
        if part in self._seen or part not in self._package or not self._left:
            return None
        self._seen.add(part)
        content = self._package.stream(part).read()
        if not _may_have_words(content):
            return None
        self._left -= 1
        try:
            printed = read_image(content, self._task.limits, self._task.recognize)
        except InvalidDocument:  # one picture of many; the words around it are sound
            return None
        blocks = [block for page in printed.pages for block in page.blocks]
        text = "\n".join(line.text for block in blocks for line in block.lines)
        sure = min((page.confidence or 0.0 for page in printed.pages), default=0.0)
        if sure < SURE or sum(map(str.isalnum, text)) < FEWEST:
            return None
        return Piece("image", text, confidence=sure)


def _may_have_words(content: bytes) -> bool:
    """By its size, which is told without decoding it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                width, height = image.size
    except (OSError, ValueError, SyntaxError):  # a drawing of Windows, or damaged
        return False
    return width * height >= SMALLEST and min(width, height) >= LOWEST
