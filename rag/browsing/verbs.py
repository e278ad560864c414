"""The story of those who read on by themselves: open a document at a place, see its headings, look
for words. They read, and change nothing; none sees more than its collection, and of that no more
than a filter lets through.
"""

import asyncio
from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from rag.browsing import grepping
from rag.browsing.grepping import Grepped
from rag.browsing.matching import Lines, Matcher, Words
from rag.browsing.opening import Count, Opened, Place, opened, place_in
from rag.browsing.outlines import Outline, outline
from rag.domain import Collection
from rag.ports import Embedders
from rag.ranking.filters import Filter
from rag.storage.browsed import Stored
from rag.storage.library import Library

CHARACTERS_PER_TOKEN = 3
"""Of English prose, by the tokenizers of current models; counted so where no model is at hand."""

WHOLE = 6
"""Levels of headings that there are."""


class Scope(Struct, frozen=True):
    """What a caller may see."""

    collection: Collection
    filter: Filter | None = None


class Pattern(Struct, frozen=True):
    text: str
    is_regex: bool = False
    is_caseless: bool = True

    def matcher(self) -> Matcher:
        """
        Raises:
            InvalidRequest: it is none that is taken here.
        """
        if self.is_regex:
            return Lines(self.text, is_caseless=self.is_caseless)
        return Words(self.text, is_caseless=self.is_caseless)


async def open_at(
    document: str,
    place: Place,
    scope: Scope,
    *,
    max_tokens: int,
    before: float,
    embedders: Embedders,
    library: Library,
) -> Opened:
    """A document from a place on, as much as there is room for.

    Args:
        document: its id or key.
        before: share of the room for what stands before the place.

    Raises:
        NotFound: no such document within the scope, or no such place in it.
    """
    stored = await asyncio.to_thread(_find, document, scope, library)
    count = _counting(scope.collection, embedders)
    return await asyncio.to_thread(
        lambda: opened(stored.document(), stored.id, place, max_tokens, count, before=before)
    )


async def navigate(
    document: str, place: Place | None, scope: Scope, *, depth: int, library: Library
) -> Outline:
    """A document's headings, or where one is among them.

    Raises:
        NotFound: no such document within the scope, or no such place in it.
    """
    return await asyncio.to_thread(_navigate, document, place, scope, depth, library)


async def grep(
    pattern: Pattern,
    scope: Scope,
    *,
    document: str | None = None,
    limit: int,
    begin: grepping.Place = grepping.Place(),  # noqa: B008  (a value, never changed)
    library: Library,
) -> Grepped:
    """Where a text or pattern stands, in the order of the documents' keys.

    Args:
        document: id or key of the only one to look through.

    Raises:
        InvalidRequest: the pattern is none that is taken here.
        NotFound: no such document within the scope.
    """
    return await asyncio.to_thread(_grep, pattern, scope, document, limit, begin, library)


def _find(document: str, scope: Scope, library: Library) -> Stored:
    return library.documents.within(scope.collection, document, scope.filter)


def _navigate(
    document: str, place: Place | None, scope: Scope, depth: int, library: Library
) -> Outline:
    stored = _find(document, scope, library)
    read = stored.document()
    return outline(read, stored.id, None if place is None else place_in(read, place), depth)


def _grep(
    pattern: Pattern,
    scope: Scope,
    document: str | None,
    limit: int,
    begin: grepping.Place,
    library: Library,
) -> Grepped:
    matcher = pattern.matcher()
    if document is not None:
        return grepping.grep([_find(document, scope, library)], matcher, limit, begin)
    with library.documents.reading(scope.collection, scope.filter, begin.key) as texts:
        return grepping.grep(texts, matcher, limit, begin)


def _counting(collection: Collection, embedders: Embedders) -> Count:
    model = collection.embedding_model
    if model is not None and model in embedders:
        return embedders[model].count_tokens
    return _estimated


def _estimated(texts: Sequence[str]) -> list[int]:
    return [ceil(len(text) / CHARACTERS_PER_TOKEN) for text in texts]
