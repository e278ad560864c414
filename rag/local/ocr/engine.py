"""The OCR engines there are, and which one a machine uses."""

from rag.errors import InvalidSettings
from rag.local.ocr.page import OcrEngine, OcrLine, OcrPage
from rag.local.ocr.rapidocr import RapidOcr
from rag.local.ocr.tesseract import Tesseract, installation

__all__ = ["OcrEngine", "OcrLine", "OcrPage", "ocr_engine"]


def ocr_engine(choice: str = "auto") -> OcrEngine:
    """`auto` is Tesseract where the machine has it, else the engine every installation has.
    Languages stand behind a colon (`tesseract:deu+eng`); Tesseract alone can be told them.

    Raises:
        InvalidSettings: no engine has that name, or it cannot be told languages.
        ModelUnavailable: the engine asked for, or a language, is not installed.
    """
    choice, _, languages = choice.partition(":")
    if languages and choice == "rapidocr":
        raise InvalidSettings("the OCR engine 'rapidocr' has one model for all that it reads")
    if languages and choice in ("auto", "tesseract"):
        return Tesseract(languages)
    if choice == "auto":
        return Tesseract() if installation() else RapidOcr()
    if choice == "rapidocr":
        return RapidOcr()
    if choice == "tesseract":
        return Tesseract()
    raise InvalidSettings(f"no OCR engine {choice!r}; there are auto, rapidocr and tesseract")
