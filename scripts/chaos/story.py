"""What a writer does to a library, by chance and repeatably.

Each line of a document is a chunk with a word of its own, a word of its document, and words that
others share. So it is known which document a chunk is of, and no two are alike.
"""

import random
from collections.abc import Callable, Iterator

from msgspec import Struct

from rag.domain import Collection, IndexId, Source, document_id, embedded_text
from rag.errors import NotFound, RagError
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library
from rag.storage.publishing import Edition
from rag.storage.rebuilding import Recipe
from scripts.chaos.truth import Changes, Key, Truth
from tests.storage.shelves import DIMENSION, Shelf, cut, read, vectors_of

EVERYTHING = 10_000  # more hits than any library here has chunks
COLLECTIONS = ("fish", "birds")
DROPPED = "birds"  # as a whole, now and then
KEYS = 5  # of a collection
LINES = 3  # of a document, at most
SHARED = ("red", "green", "blue", "sea", "sky")
MODELS = ("words", "other words")
TOKENS = 256  # of a chunk, at most
LEASE = 60.0  # seconds

Act = Callable[[Library], None]


class PromiseBroken(Exception):
    """A search found what it must not, or missed what it must find."""


class Operation(Struct, frozen=True):
    name: str
    changes: Changes
    act: Act


def each_kind(truth: Truth, chance: random.Random, chapter: int) -> Iterator[Operation]:
    """A short story in which everything happens: segments are written and merged, a document is
    replaced, one deleted, an index built anew, a collection dropped."""
    for number, key in enumerate(("fish/k0", "fish/k1", "birds/k0", "fish/k2")):
        yield _random_put(Key(key), f"c{chapter}n{number}", chance)
    yield Operation("keep up", {}, _keep_up)
    yield _random_put(Key("fish/k1"), f"c{chapter}n4", chance)
    yield _random_put(Key("fish/k3"), f"c{chapter}n5", chance)
    yield Operation("delete fish/k0", {Key("fish/k0"): None}, _deleting(Key("fish/k0")))
    yield Operation("keep up", {}, _keep_up)
    yield Operation("search fish/k1", {}, _searching(Key("fish/k1"), truth))
    yield Operation("reindex fish", {}, _reindexing("fish"))
    yield _random_put(Key("fish/k0"), f"c{chapter}n6", chance)
    yield _drop(truth)
    yield _random_put(Key("birds/k1"), f"c{chapter}n7", chance)


def endless(truth: Truth, chance: random.Random, chapter: int) -> Iterator[Operation]:
    """Operations by chance, each chosen when the one before has ended.

    Args:
        chapter: another for each writer to a library, for no text may come twice.
    """
    number = 0
    while True:
        number += 1
        collection = chance.choice(COLLECTIONS)
        key = Key(f"{collection}/k{chance.randrange(KEYS)}")
        kind = chance.choices(
            ("put", "delete", "search", "keep up", "reindex", "drop"), (50, 12, 16, 14, 5, 3)
        )[0]
        if kind == "put":
            yield _random_put(key, f"c{chapter}n{number}", chance)
        elif kind == "delete":
            yield Operation(f"delete {key}", {key: None}, _deleting(key))
        elif kind == "search":
            yield Operation(f"search {key}", {}, _searching(key, truth))
        elif kind == "keep up":
            yield Operation("keep up", {}, _keep_up)
        elif kind == "reindex":
            yield Operation(f"reindex {collection}", {}, _reindexing(collection))
        else:
            yield _drop(truth)


def putting(key: Key, text: str) -> Operation:
    def put(library: Library) -> None:
        name, _, own = key.partition("/")
        collection = collection_named(library, name)
        views = library.indexes.views(collection.id)
        others = {v.index: _edition(own, text) for v in views if v.index != collection.index}
        Shelf(library, collection).put(own, text, others=others)

    return Operation(f"put {key}", {key: text}, put)


def collection_named(library: Library, name: str) -> Collection:
    """Made if it is not there."""
    try:
        return library.collections.find(name)
    except NotFound:
        return library.collections.create(
            name, embedding_model=MODELS[0], dimension=DIMENSION, chunk_tokens=TOKENS
        )


def _random_put(key: Key, mark: str, chance: random.Random) -> Operation:
    """
    Args:
        mark: of this version, and of no other.
    """
    text = "\n".join(
        f"{_word(key)}{mark}l{line} {_word(key)} {chance.choice(SHARED)} {chance.choice(SHARED)}"
        for line in range(chance.randint(1, LINES))
    )
    return putting(key, text)


def _word(key: Key) -> str:
    return key.replace("/", "")


def _deleting(key: Key) -> Act:
    def delete(library: Library) -> None:
        name, _, own = key.partition("/")
        found = library.documents.find_by_key(collection_named(library, name), own)
        if found is not None:
            library.documents.delete(found.id)

    return delete


def _searching(key: Key, truth: Truth) -> Act:
    """All chunks of a document, by the word that only they have, and by meaning."""

    def search(library: Library) -> None:
        name, _, own = key.partition("/")
        collection = collection_named(library, name)
        word = _word(key)
        may = [sorted((text or "").splitlines()) for text in truth.allowed(key)]
        for mode in ("words", "dense"):
            found = library.chunks.search(
                collection, word, vectors_of([word]), k=EVERYTHING, modes=frozenset({mode})
            )
            lines = sorted(hit.text for hit in found.hits if hit.key == own)
            if mode not in found.missing and lines not in may:
                raise PromiseBroken(f"by {mode} {key} has {lines}, and may have {may}")

    return search


def _keep_up(library: Library) -> None:
    """What upkeep does by itself when there is time. Whatever goes wrong it tells of in the log,
    and tries again."""
    try:
        for indexes in library._indexes.now():
            indexes.keep_up()
    except OSError as error:
        raise RagError("an index could not be written") from error


def _drop(truth: Truth) -> Operation:
    """A collection with all that is in it."""

    def drop(library: Library) -> None:
        library.collections.delete(collection_named(library, DROPPED).id)

    documents = sorted(key for key in truth.keys if key.startswith(f"{DROPPED}/"))
    return Operation(f"drop {DROPPED}", dict.fromkeys(documents), drop)


def _reindexing(name: str) -> Act:
    """With the other model, to the end: the former index is dropped."""

    def reindex(library: Library) -> None:
        collection = collection_named(library, name)
        former = library.indexes.list(collection)[0]
        model = MODELS[former.embedding_model == MODELS[0]]
        recipe = Recipe(model, former.dimension, former.chunk_tokens, former.chunker)
        job = library.indexes.begin(collection, recipe)
        while (claimed := library.jobs.claim(lease=LEASE)) is not None:
            _build(library, claimed)
        library.indexes.switch(collection, job.index or IndexId(""))
        library.indexes.drop(collection, former.id)

    return reindex


def _build(library: Library, claimed: ClaimedItem) -> None:
    stored = library.indexes.stored(document_id(claimed.collection.id, claimed.key))
    if stored is None:
        library.jobs.finish(claimed, "superseded")
    else:
        library.indexes.publish(claimed, stored, _edition(claimed.key, stored.document.text))


def _edition(key: str, text: str) -> Edition:
    chunks = cut(read(Source(key, text.encode())))
    return Edition(tuple(chunks), vectors_of([embedded_text(each, key) for each in chunks]))
