"""The sentence models that run in this process: the one in the box, and one that is named."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from rag.local.bert import BertEmbedder
from rag.local.bert_graph import Precision
from rag.local.minilm import load_minilm, model_of
from rag.local.sentence_folder import load_sentence_folder
from rag.settings import Settings

MODELS_IN_THE_BOX: Mapping[str, Precision] = {
    model_of(precision): precision for precision in get_args(Precision)
}
"""By their names."""


def load_in_the_box(settings: Settings, precision: Precision | None = None) -> BertEmbedder:
    """
    Raises:
        ModelUnavailable: its package is missing, or holds other weights.
    """
    chosen = precision or settings.embedding_precision
    return load_minilm(_graphs(settings), precision=chosen)


def load_named(settings: Settings) -> BertEmbedder | None:
    """The one in the folder that the settings name, if any.

    Raises:
        ModelUnavailable: something in that folder is missing, or of a kind that is not known here.
    """
    if settings.sentence_model is None:
        return None
    elsewhere = settings.embedding_base_url is not None  # then the prompts are for that host
    return load_sentence_folder(
        Path(settings.sentence_model).expanduser(),
        _graphs(settings),
        precision=settings.embedding_precision,
        query_prompt=None if elsewhere else settings.embedding_query_prompt,
        passage_prompt=None if elsewhere else settings.embedding_passage_prompt,
    )


def load_sentence_model(settings: Settings) -> BertEmbedder:
    """The one that texts are embedded with where no provider does.

    Raises:
        ModelUnavailable: it cannot be loaded.
    """
    return load_named(settings) or load_in_the_box(settings)


def _graphs(settings: Settings) -> Path:
    return Path(settings.data_dir).expanduser().resolve() / "models"
