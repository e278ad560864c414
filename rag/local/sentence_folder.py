"""A sentence model that the operator names: a folder in the layout of sentence-transformers.

Its weights are numbers (safetensors), its tokenizer a table, and nothing in it is run. What it
holds decides its name, so that vectors of a changed folder never meet those of the former one.
"""

import hashlib
import os
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import numpy as np
from msgspec import Struct
from tokenizers import Tokenizer

from rag.errors import ModelUnavailable
from rag.local.bert import (
    BATCH_TOKENS,
    SPECIAL_TOKENS,
    BertEmbedder,
    Count,
    Model,
    open_session,
)
from rag.local.bert_graph import GRAPH_VERSION, Matrix, Precision, Shape, build_graph
from rag.local.graph_cache import cached_graph
from rag.local.weights import read_tensors

T = TypeVar("T")

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
PREFIXES = ("", "bert.", "roberta.", "0.auto_model.")
"""Under which published models keep the same tensors."""


class Config(Struct):
    """`config.json`, as far as it matters here."""

    model_type: Literal["bert", "xlm-roberta", "roberta"]
    num_hidden_layers: int
    num_attention_heads: int
    hidden_size: int
    max_position_embeddings: int
    layer_norm_eps: float = 1e-12
    hidden_act: Literal["gelu"] = "gelu"
    position_embedding_type: Literal["absolute"] = "absolute"
    pad_token_id: int = 0


class Pooling(Struct):
    """`1_Pooling/config.json`."""

    pooling_mode_mean_tokens: bool = False
    pooling_mode_cls_token: bool = False
    pooling_mode_max_tokens: bool = False
    pooling_mode_mean_sqrt_len_tokens: bool = False
    pooling_mode_weightedmean_tokens: bool = False
    pooling_mode_lasttoken: bool = False


class Lengths(Struct):
    """`sentence_bert_config.json`."""

    max_seq_length: int | None = None


class Prompts(Struct):
    """`config_sentence_transformers.json`."""

    prompts: dict[str, str] = {}


def load_sentence_folder(
    folder: Path,
    cache: Path,
    *,
    precision: Precision = "int8",
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    threads: int | None = None,
) -> BertEmbedder:
    """The model in a folder, its graph taken from `cache` or built there.

    Args:
        query_prompt, passage_prompt: the folder's own where None.

    Raises:
        ModelUnavailable: something is missing, or is of a kind that is not known here.
    """
    weights, table = _bytes(folder / WEIGHTS), _bytes(folder / TOKENIZER)
    tokenizer = _tokenizer(folder, table)
    config = _parsed(folder / "config.json", Config)
    shape = _shape(config, _optional(folder / "1_Pooling" / "config.json", Pooling))
    lengths = _optional(folder / "sentence_bert_config.json", Lengths)
    most = config.max_position_embeddings - shape.first_position
    said = _optional(folder / "config_sentence_transformers.json", Prompts).prompts
    query = said.get("query", "") if query_prompt is None else query_prompt
    passage = said.get("passage", said.get("document", ""))
    passage = passage if passage_prompt is None else passage_prompt
    digest = _digest(weights, table, repr((shape, query, passage)).encode())
    graph = cached_graph(
        cache / f"sentence-{digest}-{precision}-{GRAPH_VERSION}.onnx",
        lambda: build_graph(_tensors(folder, weights), precision, shape),
    )
    name = f"{folder.resolve().name}@{digest}/{precision}"
    longest = min(most, lengths.max_seq_length or most)
    return BertEmbedder(
        Model(name, shape.dimension, longest, query, passage),
        open_session(graph),
        tokenizer,
        _counting(tokenizer),
        batch_tokens=BATCH_TOKENS[precision],
        threads=threads or len(os.sched_getaffinity(0)),
    )


def _shape(config: Config, pooling: Pooling) -> Shape:
    modes = {name for name in pooling.__struct_fields__ if getattr(pooling, name)}
    if modes not in ({"pooling_mode_mean_tokens"}, {"pooling_mode_cls_token"}, set()):
        raise ModelUnavailable(
            "the sentence model joins its rows by " + " and ".join(sorted(modes)) + "; known here"
            " are the mean and the first row"
        )
    return Shape(
        config.num_hidden_layers,
        config.num_attention_heads,
        config.hidden_size,
        config.layer_norm_eps,
        # RoBERTa counts positions from behind the padding token's (fairseq's convention).
        first_position=0 if config.model_type == "bert" else config.pad_token_id + 1,
        pooling="first" if "pooling_mode_cls_token" in modes else "mean",
    )


def _tokenizer(folder: Path, table: bytes) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(table.decode())
    except Exception as error:  # the library raises no other kind
        raise ModelUnavailable(f"{folder / TOKENIZER} is no tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if tokenizer.num_special_tokens_to_add(False) != SPECIAL_TOKENS:
        raise ModelUnavailable(
            f"{folder / TOKENIZER} does not put one token before and one after a text"
        )
    return tokenizer


def _counting(tokenizer: Tokenizer) -> Count:
    """By encoding: not every tokenizer cuts at white space, as BERT's does."""
    return lambda texts: [len(each.ids) for each in tokenizer.encode_batch_fast(list(texts))]


def _tensors(folder: Path, weights: bytes) -> dict[str, Matrix]:
    try:
        found = read_tensors(weights)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"{folder / WEIGHTS} is damaged: {error}") from error
    for prefix in PREFIXES:
        if f"{prefix}embeddings.word_embeddings.weight" in found:
            return {name.removeprefix(prefix): np.asarray(found[name]) for name in found}
    raise ModelUnavailable(f"{folder / WEIGHTS} holds no BERT model in float32 or float16")


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:12]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(
            f"the sentence model's {path} cannot be read ({error.strerror}); RAG_SENTENCE_MODEL"
            " names a folder in the layout of sentence-transformers, with model.safetensors,"
            " tokenizer.json and config.json"
        ) from error


def _parsed(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(_bytes(path), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelUnavailable(f"{path}: no model of a kind that is known here: {error}") from error


def _optional(path: Path, kind: type[T]) -> T:
    return _parsed(path, kind) if path.exists() else kind()
