"""Vectors of code, bought once: a chunk is embedded when no chunk with its text was, ever.

Words are searchable before the first vector is there, so this goes on in steps: each embeds for a
while, keeps what it has, and says what is left.
"""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rag.ports import Embedder
from rag.storage.code.store import View
from rag.storage.library import Library
from rag.syntax.cards import card, prose_of

CARD_TOKENS = 96
"""Of a chunk's embedded text where the model takes few: its name, signature and documentation, and
the beginning of its body. Twice as much takes twice as long."""

LONG_CARD = 2_000
"""Of one where the model was made for code, and takes thousands."""

MADE_FOR_CODE = 4_096  # tokens that such a model takes

CONTENTS_AT_ONCE = 20
TEXTS_AT_ONCE = 64  # of one call, and what a crash may cost

PROBES = 150
FEWEST_PROBES = 20
"""Below which nothing is known of a model, and it counts little."""

MUCH = 0.5
"""Share of a state's chunks that are bought at once before meaning is tried again: the trial buys
some hundred texts of its own, which a commit should not."""

MOST = 0.6
"""Share of meaning where every documentation finds its own code."""

UNTRIED = 0.1


class Embedded(Struct, frozen=True):
    """What a step did."""

    bought: int
    """Texts that were embedded; the others were known."""
    pending: int
    """Chunks that are left."""
    weight: float
    """Share of meaning in the ranking."""


class Plan(Struct, frozen=True):
    """What embedding a state would take; nothing is sent."""

    files: int
    chunks: int
    known: int
    tokens: int
    """Of those that are not."""


async def embed_code(
    view: View, embedder: Embedder, seconds: float, *, library: Library
) -> Embedded:
    """
    Raises:
        ProviderError: the provider failed for good; what it gave before is kept.
    """
    ends = time.monotonic() + seconds
    code = library.code
    contents = await asyncio.to_thread(code.unembedded, view, embedder.model)
    bought = 0
    while contents and time.monotonic() < ends:
        some, contents = contents[:CONTENTS_AT_ONCE], contents[CONTENTS_AT_ONCE:]
        cards = await asyncio.to_thread(cards_of, some, embedder, library)
        texts = [text for each in cards.values() for text in each]
        unknown = await asyncio.to_thread(code.unknown_texts, embedder.model, texts)
        for at in range(0, len(unknown), TEXTS_AT_ONCE):
            batch = unknown[at : at + TEXTS_AT_ONCE]
            vectors = await embedder.embed(batch, "passage")
            await asyncio.to_thread(code.keep_vectors, embedder.model, batch, vectors)
        bought += len(unknown)
        await asyncio.to_thread(code.keep_cards, embedder.model, cards)
    code.show_embedded()
    weight = await asyncio.to_thread(code.weight, view, embedder.model)
    if weight is None and not contents and not bought:
        weight = await asyncio.to_thread(code.adopt_weight, view, embedder.model)
    if not contents and (weight is None or bought > MUCH * view.snapshot.chunks):
        weight = await _check(view, embedder, library)
    pending = await asyncio.to_thread(code.pending, view, embedder.model)
    return Embedded(bought, pending, UNTRIED if weight is None else weight)


def plan(view: View, embedder: Embedder, *, library: Library) -> Plan:
    unembedded = library.code.unembedded(view, embedder.model)
    cards = cards_of(unembedded, embedder, library)
    unknown = library.code.unknown_texts(
        embedder.model, [text for each in cards.values() for text in each]
    )
    chunks = view.snapshot.chunks
    return Plan(
        view.snapshot.indexed, chunks, chunks - len(unknown), sum(embedder.count_tokens(unknown))
    )


def fitted(texts: Sequence[str], embedder: Embedder) -> list[str]:
    """Their beginnings, as far as they are to be embedded."""
    small = embedder.max_tokens < MADE_FOR_CODE
    most = min(CARD_TOKENS if small else LONG_CARD, embedder.max_tokens)
    cut = [text[: 4 * most] for text in texts]
    tokens = embedder.count_tokens(cut)
    while long := [n for n, count in enumerate(tokens) if count > most]:
        for n in long:
            cut[n] = cut[n][: max(1, int(len(cut[n]) * 0.95 * most / tokens[n]))]
            tokens[n] = embedder.count_tokens([cut[n]])[0] if len(cut[n]) > 1 else 0
    return cut


def cards_of(contents: Sequence[int], embedder: Embedder, library: Library) -> dict[int, list[str]]:
    """What the chunks of contents are embedded as, by their numbers."""
    outlines = library.code.outlines_by_number(contents)
    texts = library.code.texts_by_number(contents)
    return {
        content: fitted(
            [card(chunk, texts[content]) for chunk in outlines[content].chunks], embedder
        )
        for content in contents
    }


async def _check(view: View, embedder: Embedder, library: Library) -> float:
    """Whether documentation finds the code it stands above, once that is embedded without it,
    among all other chunks. What it finds is how much meaning is worth here."""
    probes = await asyncio.to_thread(_probes, view, library)
    if len(probes) < FEWEST_PROBES:
        weight = UNTRIED
    else:
        questions = await embedder.embed([question for question, _ in probes], "query")
        bare = fitted([text for _, text in probes], embedder)
        own = (questions * await embedder.embed(bare, "passage")).sum(axis=1)
        dense = library.code.dense(view, embedder.model, embedder.dimension)
        better = (questions @ dense.vectors.T > own[:, None]).sum(axis=1)
        # its own chunk, documentation included, is among the better ones
        weight = MOST * float(np.mean(better <= 10))
    await asyncio.to_thread(library.code.set_weight, view, embedder.model, weight)
    return weight


def _probes(view: View, library: Library) -> list[tuple[str, str]]:
    """Documentation, and the card of its chunk without it: evenly from all files."""
    files = list(view.files.values())
    step = max(1, len(files) // (2 * PROBES))
    sample = files[::step]
    outlines, texts = library.code.outlines(sample), library.code.texts(sample)
    found: list[tuple[str, str]] = []
    for file in sample:
        text = texts[file.content]
        for chunk in outlines[file.content].chunks:
            prose = prose_of(chunk, text)
            if chunk.symbol and len(prose) >= 40:
                found.append((prose[:200], card(chunk, text, with_prose=False)))
                break
    return found[:PROBES]
