"""The local model as the provider's: nearer to the truth than hashing, and slower."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.local.minilm import load_minilm

from .provider import Embed


def local(cache: Path) -> Embed:
    """Embeds with the local model, projected to the asked width by a fixed random matrix, which
    keeps distances about as they are (Johnson and Lindenstrauss, 1984).

    Raises:
        ModelUnavailable: the local model is not installed.
    """
    model = load_minilm(cache, threads=1)
    thread = ThreadPoolExecutor(1)

    def embed(texts: Sequence[str], width: int) -> npt.NDArray[np.float32]:
        near = thread.submit(lambda: asyncio.run(model.embed(texts, "passage"))).result()
        drawn = np.random.default_rng(width).standard_normal((model.dimension, width))
        rows = near @ drawn.astype(np.float32)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    return embed
