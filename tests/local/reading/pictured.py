"""Files with pictures in them, and an OCR that says the same of every picture."""

import io
import zipfile
from collections.abc import Sequence

from PIL import Image

from rag.domain import Document, Source
from rag.local.ocr.page import OcrLine, OcrPage
from rag.local.reading.frames import Bitmap, Recognized
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import sniff
from rag.local.reading.parser import parse


def picture(width: int = 400, height: int = 300) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, "PNG")
    return buffer.getvalue()


def with_parts(package: bytes, parts: dict[str, str | bytes]) -> bytes:
    """The package with these parts instead of its own, or beside them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return buffer.getvalue()


class Ocr:
    """Says the same of every picture, and how many it was asked about."""

    def __init__(self, text: str = "Due on 3 May", confidence: float = 0.9) -> None:
        line = OcrLine(text, (0.1, 0.1, 0.9, 0.2), confidence)
        self.page = OcrPage(((line,),), 0, confidence)
        self.asked = 0

    def __call__(self, bitmaps: Sequence[Bitmap]) -> list[Recognized]:
        self.asked += len(bitmaps)
        return [Recognized(self.page, "an-ocr")] * len(bitmaps)

    def read(self, content: bytes) -> Document:
        source = Source("file", content)
        return parse(source, sniff(content, None, "file"), DEFAULT_LIMITS, self)
