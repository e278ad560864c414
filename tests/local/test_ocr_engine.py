from pathlib import Path

import pytest

from rag.errors import InvalidSettings, ModelUnavailable
from rag.local.ocr import models
from rag.local.ocr.engine import ocr_engine
from rag.local.ocr.tesseract import installation


def test_without_tesseract_the_built_in_engine_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert ocr_engine().name == "rapidocr"


@pytest.mark.skipif(installation() is None, reason="tesseract is not installed")
def test_tesseract_is_preferred_where_there_is_one() -> None:
    assert ocr_engine().name == "tesseract"


def test_an_unknown_engine_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InvalidSettings, match="'gocr'; there are auto, rapidocr and tesseract"):
        ocr_engine("gocr")


def test_a_wheel_with_other_models_is_named_not_replaced_by_a_download(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(models.FILES, "detect", "PP-OCRv9_det.onnx")

    with pytest.raises(ModelUnavailable, match=r"carries no PP-OCRv9_det\.onnx"):
        ocr_engine("rapidocr")
