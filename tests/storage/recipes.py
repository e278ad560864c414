"""Ways to cut and embed one-line blocks, so that a collection can be indexed in several."""

from collections.abc import Mapping

import numpy as np

from rag.chunking.chunks import CHUNKER
from rag.domain import Chunk, Collection, Document, Vectors, embedded_text
from rag.storage.publishing import Edition
from rag.storage.rebuilding import Recipe
from tests.storage.shelves import DIMENSION, cut, vectors_of

LINES = Recipe("words", DIMENSION, 256, CHUNKER)
"""Each line is a chunk: what a shelf's collection begins with."""
WHOLE = Recipe("words", DIMENSION, 64, CHUNKER)
"""A document is one chunk, by the same model."""
NARROW = Recipe("narrow", 8, 256, CHUNKER)
"""Lines, by another model of another width."""

RECIPES = (LINES, WHOLE, NARROW)


def recipe_of(view: Collection) -> Recipe:
    return Recipe(view.embedding_model, view.dimension, view.chunk_tokens, CHUNKER)


def pieces(recipe: Recipe, lines: list[str]) -> list[str]:
    """The chunks that a document of these lines has."""
    return ["\n".join(lines)] if recipe == WHOLE else lines


def question_in(recipe: Recipe, question: str) -> Vectors:
    return _embedded(recipe, [question])


def edition_in(recipe: Recipe, document: Document) -> Edition:
    chunks = cut(document)
    if recipe == WHOLE:
        chunks = [Chunk(0, len(document.text), document.text, tokens=1, lines=(1, 1))]
    texts = [embedded_text(chunk, document.title) for chunk in chunks]
    return Edition(tuple(chunks), _embedded(recipe, texts))


def editions_in(views: Mapping[str, Recipe], document: Document) -> dict[str, Edition]:
    """One for each index."""
    return {index: edition_in(recipe, document) for index, recipe in views.items()}


def _embedded(recipe: Recipe, texts: list[str]) -> Vectors:
    wide = vectors_of(texts)
    if recipe != NARROW:
        return wide
    folded = wide.reshape(len(texts), -1, 8).sum(axis=1, dtype=np.float32)
    return folded / np.linalg.norm(folded, axis=1, keepdims=True)
