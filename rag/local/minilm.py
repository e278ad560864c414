"""all-MiniLM-L6-v2 on onnxruntime: the embedder that needs no key, no network and no torch."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from rag.domain import InputType, Vectors
from rag.errors import InvalidRequest
from rag.local.graph_cache import cached_graph
from rag.local.minilm_graph import DIMENSION, GRAPH_VERSION, Precision, build_graph
from rag.local.weights import (
    TOKENIZER_DIGEST,
    WEIGHTS_DIGEST,
    ModelFiles,
    find_model,
    read_tensors,
    verified,
)
from rag.local.wordpieces import SPECIAL_TOKENS, WordPieces

MAX_TOKENS = 256
"""What the model was trained on. It would take 512, but knows nothing of the second half."""

BATCH_TOKENS: dict[Precision, int] = {"int8": 1, "float32": 1024}
"""Tokens of one run at the most, or one text. In float32 a batch halves the time of short texts.
In int8 it saves a fifth at 24 tokens and nothing from 48 on, and since a run has one scale, a
text's vector would depend on its neighbors in the batch: so it has none."""

Ids: TypeAlias = npt.NDArray[np.int64]
Run: TypeAlias = Callable[[Ids], Vectors]
RunAll: TypeAlias = Callable[[Run, Iterable[Ids]], Iterable[Vectors]]
"""`map`, or an executor's."""


def load_minilm(
    cache: Path, *, precision: Precision = "int8", threads: int | None = None
) -> "MiniLm":
    """The model, its graph taken from `cache` or built there from the verified weights.

    Args:
        threads: how many texts are embedded side by side; by default, as many as there are cores.

    Raises:
        ModelUnavailable: the carrier package is missing, or holds other weights.
    """
    files = find_model()
    tokenizer = load_tokenizer(files)
    graph = cached_graph(
        cache / f"minilm-{WEIGHTS_DIGEST[:12]}-{precision}-{GRAPH_VERSION}.onnx",
        lambda: build_graph(read_tensors(verified(files.weights, WEIGHTS_DIGEST)), precision),
    )
    return MiniLm(
        open_session(graph), tokenizer, precision, threads or len(os.sched_getaffinity(0))
    )


def load_tokenizer(files: ModelFiles) -> Tokenizer:
    """As published it cuts and pads every text to 128 tokens; ours does neither."""
    tokenizer = Tokenizer.from_str(verified(files.tokenizer, TOKENIZER_DIGEST).decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def open_session(graph: Path) -> Run:
    """Token ids -> vectors, on one thread a run: several texts at once use the cores better than
    one text on all."""
    # Imported here: it takes 0.2 s and 20 MB, which most commands can do without.
    import onnxruntime  # type: ignore[import-untyped]  # ships no types

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # From a path: a session made from bytes keeps them as long as it lives.
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(ids: Ids) -> Vectors:
        [vectors] = session.run(None, {"ids": ids})
        return np.asarray(vectors, np.float32)

    return run


def model_of(precision: Precision) -> str:
    """What it is called with that precision, which changes its vectors a little."""
    return f"all-MiniLM-L6-v2/{precision}"


class MiniLm:
    """Port `Embedder`. English, 384 dimensions, texts up to 256 tokens."""

    def __init__(
        self,
        run: Run,
        tokenizer: Tokenizer,
        precision: Precision,
        threads: int,
    ) -> None:
        self._run = run
        self._tokenizer = tokenizer
        self._word_pieces = WordPieces(tokenizer)
        self._precision = precision
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="minilm")

    @property
    def model(self) -> str:
        return model_of(self._precision)

    @property
    def dimension(self) -> int:
        return DIMENSION

    @property
    def max_tokens(self) -> int:
        return MAX_TOKENS

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Exact, `[CLS]` and `[SEP]` included."""
        return self._word_pieces.count(texts)

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        """A query of more than 256 tokens becomes the mean of its windows of 256.

        Raises:
            InvalidRequest: a passage has more than 256 tokens: chunks are made to fit, and one
                that does not would be found by its beginning alone.
        """
        return await asyncio.to_thread(self._embed, texts, input_type)

    def _embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        windows = [windows_of(encoding.ids) for encoding in encodings]
        longest = max((len(encoding.ids) for encoding in encodings), default=0)
        if input_type == "passage" and longest > MAX_TOKENS:
            raise InvalidRequest(
                f"a passage has {longest} tokens, and {self.model} embeds {MAX_TOKENS}; "
                "cut it into chunks first"
            )
        # A question is run right here, and does not wait behind the passages of an ingest.
        run_all = map if input_type == "query" else self._workers.map
        vectors = self._vectors([window for each in windows for window in each], run_all)
        return mean_of_windows(vectors, [len(each) for each in windows])

    def _vectors(self, token_ids: Sequence[Sequence[int]], run_all: RunAll) -> Vectors:
        lengths = [len(ids) for ids in token_ids]
        batches = batches_of_one_length(lengths, BATCH_TOKENS[self._precision])
        arrays = [np.array([token_ids[i] for i in batch], np.int64) for batch in batches]
        vectors = np.empty((len(token_ids), DIMENSION), np.float32)
        for batch, rows in zip(batches, run_all(self._run, arrays), strict=True):
            vectors[batch] = rows
        return vectors


def windows_of(ids: Sequence[int]) -> list[Sequence[int]]:
    """The text whole where it fits, else windows of its words, each between the special tokens."""
    if len(ids) <= MAX_TOKENS:
        return [ids]
    first, *words, last = ids
    step = MAX_TOKENS - SPECIAL_TOKENS
    return [[first, *words[at : at + step], last] for at in range(0, len(words), step)]


def batches_of_one_length(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Positions of texts grouped by length, longest first, each group of `most` tokens or one text.

    Texts of one length need no padding and no mask. Longest first keeps the last batches short, so
    that no worker waits long for another.
    """
    by_length = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batches = []
    for length, group in groupby(by_length, key=lambda i: lengths[i]):
        same = list(group)
        size = max(1, most // length)
        batches += [same[at : at + size] for at in range(0, len(same), size)]
    return batches


def mean_of_windows(vectors: Vectors, windows: Sequence[int]) -> Vectors:
    """One row for each text that had so many windows, of length 1 again."""
    ends = np.cumsum(windows, dtype=int)
    rows = [
        vectors[end - n] if n == 1 else _direction(vectors[end - n : end].sum(axis=0))
        for end, n in zip(ends, windows, strict=True)
    ]
    return np.array(rows, np.float32).reshape(len(windows), DIMENSION)


def _direction(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(vector / np.linalg.norm(vector))
