"""A sentence model of BERT's kind on onnxruntime, as its tokenizer and its built graph."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from tokenizers import Tokenizer

from rag.domain import InputType, Vectors
from rag.errors import InvalidRequest
from rag.local.bert_graph import Precision

SPECIAL_TOKENS = 2  # one before every text and one after it

BATCH_TOKENS: dict[Precision, int] = {"int8": 1, "float32": 1024}
"""Tokens of one run at the most, or one text. In float32 a batch halves the time of short texts.
In int8 it saves a fifth at 24 tokens and nothing from 48 on, and since a run has one scale, a
text's vector would depend on its neighbors in the batch: so it has none."""

Ids: TypeAlias = npt.NDArray[np.int64]
Run: TypeAlias = Callable[[Ids], Vectors]
RunAll: TypeAlias = Callable[[Run, Iterable[Ids]], Iterable[Vectors]]
"""`map`, or an executor's."""
Count: TypeAlias = Callable[[Sequence[str]], list[int]]


class Model(Struct, frozen=True):
    """What is known of it before it runs."""

    name: str
    """Another for whatever changes its vectors."""
    dimension: int
    max_tokens: int
    query_prompt: str = ""
    passage_prompt: str = ""


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


class BertEmbedder:
    """Port `Embedder`, for texts of any length as questions, and of `max_tokens` as passages."""

    def __init__(
        self,
        model: Model,
        run: Run,
        tokenizer: Tokenizer,
        count: Count,
        *,
        batch_tokens: int,
        threads: int,
    ) -> None:
        """
        Args:
            count: tokens of texts, by that tokenizer, special ones included.
            batch_tokens: of one run at the most, or one text.
            threads: how many texts are embedded side by side.
        """
        self._model = model
        self._run = run
        self._tokenizer = tokenizer
        self._count = count
        self._batch_tokens = batch_tokens
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="embed")

    @property
    def model(self) -> str:
        return self._model.name

    @property
    def dimension(self) -> int:
        return self._model.dimension

    @property
    def max_tokens(self) -> int:
        return self._model.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Exact, of passages: the special tokens and the prompt are included."""
        return self._count(self._prompted(texts, "passage"))

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        """A query of more than `max_tokens` becomes the mean of its windows of so many.

        Raises:
            InvalidRequest: a passage has more: chunks are made to fit, and one that does not would
                be found by its beginning alone.
        """
        return await asyncio.to_thread(self._embed, texts, input_type)

    def _prompted(self, texts: Sequence[str], input_type: InputType) -> list[str]:
        is_query = input_type == "query"
        prompt = self._model.query_prompt if is_query else self._model.passage_prompt
        return [prompt + text for text in texts]

    def _embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        encodings = self._tokenizer.encode_batch_fast(self._prompted(texts, input_type))
        windows = [windows_of(encoding.ids, self.max_tokens) for encoding in encodings]
        longest = max((len(encoding.ids) for encoding in encodings), default=0)
        if input_type == "passage" and longest > self.max_tokens:
            raise InvalidRequest(
                f"a passage has {longest} tokens, and {self.model} embeds {self.max_tokens}; "
                "cut it into chunks first"
            )
        # A question is run right here, and does not wait behind the passages of an ingest.
        run_all = map if input_type == "query" else self._workers.map
        vectors = self._vectors([window for each in windows for window in each], run_all)
        return mean_of_windows(vectors, [len(each) for each in windows])

    def _vectors(self, token_ids: Sequence[Sequence[int]], run_all: RunAll) -> Vectors:
        lengths = [len(ids) for ids in token_ids]
        batches = batches_of_one_length(lengths, self._batch_tokens)
        arrays = [np.array([token_ids[i] for i in batch], np.int64) for batch in batches]
        vectors = np.empty((len(token_ids), self.dimension), np.float32)
        for batch, rows in zip(batches, run_all(self._run, arrays), strict=True):
            vectors[batch] = rows
        return vectors


def windows_of(ids: Sequence[int], most: int) -> list[Sequence[int]]:
    """The text whole where it fits, else windows of its words, each between the special tokens."""
    if len(ids) <= most:
        return [ids]
    first, *words, last = ids
    step = most - SPECIAL_TOKENS
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
    return np.array(rows, np.float32).reshape(len(windows), vectors.shape[1])


def _direction(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(vector / np.linalg.norm(vector))
