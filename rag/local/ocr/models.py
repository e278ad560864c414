"""The OCR models, taken from the installed `rapidocr` wheel and run by onnxruntime directly.

The wheel's own pipeline is not used: it downloads what it misses, squeezes pages to 2000 pixels,
and returns lines in an order that interleaves columns.
"""

from collections.abc import Callable
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]  # ships neither hints nor stubs

from rag.errors import ModelUnavailable

Floats: TypeAlias = npt.NDArray[np.float32]

Network: TypeAlias = Callable[[Floats], Floats]
"""A batch of images in, an array out."""

Task: TypeAlias = Literal["detect", "recognize", "orient"]

FILES: dict[Task, str] = {
    "detect": "PP-OCRv6_det_small.onnx",
    "recognize": "PP-OCRv6_rec_small.onnx",
    "orient": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}


class Model:
    """A Network from the wheel, loaded when first used."""

    def __init__(self, task: Task, *, threads: int) -> None:
        """
        Raises:
            ModelUnavailable: the wheel is not installed, or carries other models.
        """
        self._path = model_file(task)
        self._threads = threads

    @cached_property
    def alphabet(self) -> list[str]:
        """What the classes of a recognizer stand for: class 0 is "nothing here", the last is the
        space."""
        listed = self._session.get_modelmeta().custom_metadata_map["character"]
        return ["", *listed.splitlines(), " "]

    def __call__(self, batch: Floats) -> Floats:
        [output] = self._session.run(None, {"x": batch})
        return np.asarray(output, dtype=np.float32)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Up to 63 % of a layer of the detector are denormal numbers, which made it 3 times slower.
        # Holds for the thread that makes a process's first session, and for its pools.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        return onnxruntime.InferenceSession(
            str(self._path), options, providers=["CPUExecutionProvider"]
        )


def model_file(task: Task) -> Path:
    spec = find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(
            "the OCR models come with the package 'rapidocr', which is not installed"
        )
    path = Path(spec.submodule_search_locations[0]) / "models" / FILES[task]
    if not path.is_file():
        raise ModelUnavailable(
            f"the installed rapidocr {version('rapidocr')} carries no {path.name}; "
            "install a version that does (3.10 or later)"
        )
    return path


def normalized(image: npt.NDArray[np.uint8]) -> Floats:
    """(height, width, 3) from 0 to 255 -> (3, height, width) from -1 to 1."""
    return (image.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
