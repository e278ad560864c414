"""all-MiniLM-L6-v2: the embedder that needs no key, no network and no torch."""

import os
from pathlib import Path

from tokenizers import Tokenizer

from rag.local.bert import BATCH_TOKENS, BertEmbedder, Model, open_session
from rag.local.bert_graph import GRAPH_VERSION, Precision, Shape, build_graph
from rag.local.graph_cache import cached_graph
from rag.local.weights import (
    TOKENIZER_DIGEST,
    WEIGHTS_DIGEST,
    ModelFiles,
    find_model,
    read_tensors,
    verified,
)
from rag.local.wordpieces import WordPieces

SHAPE = Shape(layers=6, heads=12, dimension=384, epsilon=1e-12)
MAX_TOKENS = 256
"""What the model was trained on. It would take 512, but knows nothing of the second half."""


def load_minilm(
    cache: Path, *, precision: Precision = "int8", threads: int | None = None
) -> BertEmbedder:
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
        lambda: build_graph(
            read_tensors(verified(files.weights, WEIGHTS_DIGEST)), precision, SHAPE
        ),
    )
    return BertEmbedder(
        Model(model_of(precision), SHAPE.dimension, MAX_TOKENS),
        open_session(graph),
        tokenizer,
        WordPieces(tokenizer).count,
        batch_tokens=BATCH_TOKENS[precision],
        threads=threads or len(os.sched_getaffinity(0)),
    )


def load_tokenizer(files: ModelFiles) -> Tokenizer:
    """As published it cuts and pads every text to 128 tokens; ours does neither."""
    tokenizer = Tokenizer.from_str(verified(files.tokenizer, TOKENIZER_DIGEST).decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def model_of(precision: Precision) -> str:
    """What it is called with that precision, which changes its vectors a little."""
    return f"all-MiniLM-L6-v2/{precision}"
