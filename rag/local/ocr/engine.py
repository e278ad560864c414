"""The OCR engines there are, and which one a machine uses."""

from rag.errors import InvalidSettings
from rag.local.ocr.page import OcrEngine, OcrLine, OcrPage
from rag.local.ocr.rapidocr import RapidOcr

__all__ = ["OcrEngine", "OcrLine", "OcrPage", "ocr_engine"]


def ocr_engine(choice: str = "auto") -> OcrEngine:
    """
    Raises:
        InvalidSettings: no engine has that name.
        ModelUnavailable: the engine is not installed.
    """
    if choice in ("auto", "rapidocr"):
        return RapidOcr()
    raise InvalidSettings(f"no OCR engine {choice!r}; there are auto, rapidocr and tesseract")
