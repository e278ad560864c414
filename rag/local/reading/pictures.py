"""Pictures within files -> what is written on them, by OCR, within bounds."""

import io
import warnings
from typing import BinaryIO, Protocol

from PIL import Image

from rag.errors import InvalidDocument
from rag.local.reading.images import FORMATS, read_image
from rag.local.reading.readout import Piece
from rag.local.reading.task import Task

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


class Members(Protocol):
    """The parts of a file that is an archive."""

    def __contains__(self, name: str, /) -> bool: ...
    def stream(self, name: str, /) -> BinaryIO: ...


class Pictures:
    """Of one file. What comes back (a logo on each slide) is said once."""

    def __init__(self, members: Members, task: Task) -> None:
        self._members = members
        self._task = task
        self._seen: set[str] = set()
        self._left = MOST

    def read(self, name: str, place: str | None = None) -> Piece | None:
        """What is written on the picture of that name; None where that is nothing, or was said.

        Args:
            place: as of `Piece`.
        """
        if name in self._seen or name not in self._members or not self._left:
            return None
        self._seen.add(name)
        content = self._members.stream(name).read()
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
        return Piece("image", text, place=place, confidence=sure)


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
