"""Every class of flaw, planted: it is found, by its own part alone, and mended."""

import os
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, update

from rag.domain import Source
from rag.storage.attributes import AttributeRow
from rag.storage.checking.checkup import PARTS, Report
from rag.storage.lexical.rows import Entry
from rag.storage.tables import (
    ChunkRow,
    CollectionRow,
    EmbeddingRow,
    ItemRow,
    JobRow,
    LedgerRow,
    OperationRow,
    VersionRow,
)
from tests.storage.shelves import Shelf, cut, read, vectors_of

TEXTS = {"a": "red fox\ngreen frog", "b": "blue whale", "c": "white hare\nblack cat"}


@pytest.fixture(autouse=True)
def no_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds some flaws too, and might be first."""
    monkeypatch.setattr("rag.storage.upkeep.CALM", 600.0)


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    """Three documents that came through the queue, one of them in two versions."""
    for key, content in [("a", "red"), *TEXTS.items()]:
        source = Source(key, content.encode(), title=key, attributes={"letter": key, "n": (key,)})
        shelf.library.jobs.queue(shelf.collection, [source])
        work(shelf)
    assert flawed(shelf.library.checkup.run()) == set()
    return shelf


def work(shelf: Shelf) -> None:
    """As a worker would."""
    while (claimed := shelf.library.jobs.claim(lease=60)) is not None:
        document = read(shelf.library.jobs.source(claimed))
        chunks = cut(document)
        vectors = vectors_of([f"{document.title}\n{chunk.text}" for chunk in chunks])
        shelf.library.documents.publish(
            shelf.collection, document, chunks, vectors, claimed=claimed
        )


def flawed(report: Report) -> set[str]:
    return {flaw.part for flaw in report.flaws}


def plant(shelf: Shelf, *statements: object) -> None:
    with shelf.library._database.alone() as session:
        for statement in statements:
            session.execute(statement)


def vector_bits(shelf: Shelf) -> None:
    with shelf.library._database.alone() as session:
        row = session.scalars(select(EmbeddingRow).order_by(EmbeddingRow.id)).first()
        row.vector = bytes([row.vector[0] ^ 1]) + row.vector[1:]


def vector_width(shelf: Shelf) -> None:
    with shelf.library._database.alone() as session:
        row = session.scalars(select(EmbeddingRow).order_by(EmbeddingRow.id)).first()
        row.vector = row.vector[:-4]
        row.crc32 = zlib.crc32(row.vector)


def vector_lost(shelf: Shelf) -> None:
    plant(shelf, update(ChunkRow).where(ChunkRow.id == newest(shelf)).values(embedding_id=None))


def vector_of_another_model(shelf: Shelf) -> None:
    plant(shelf, update(EmbeddingRow).where(EmbeddingRow.id == 1).values(model="other"))
    with shelf.library._database.alone() as session:
        session.execute(update(ChunkRow).where(ChunkRow.live).values(embedding_id=1))


def newest(shelf: Shelf) -> int:
    with shelf.library._database.read() as session:
        return session.scalars(select(ChunkRow.id).order_by(ChunkRow.id.desc())).first()


def chunk_beyond_the_text(shelf: Shelf) -> None:
    plant(shelf, update(ChunkRow).where(ChunkRow.id == newest(shelf)).values(end=10_000))


def former_chunk_alive(shelf: Shelf) -> None:
    plant(shelf, update(ChunkRow).where(~ChunkRow.live).values(live=True))


def chunk_gone(shelf: Shelf) -> None:
    plant(shelf, delete(ChunkRow).where(ChunkRow.id == newest(shelf)))


def no_current_version(shelf: Shelf) -> None:
    plant(
        shelf,
        update(VersionRow).values(state="superseded"),
        delete(AttributeRow),
        update(ChunkRow).values(live=False),
        update(CollectionRow).values(chunks=0),
        delete(OperationRow).where(OperationRow.kind == "put"),
    )


def counts(shelf: Shelf) -> None:
    plant(shelf, update(CollectionRow).values(documents=7, chunks=70))


def attribute_altered(shelf: Shelf) -> None:
    plant(shelf, update(AttributeRow).where(AttributeRow.text == "a").values(text="z", head="z"))


def attribute_gone(shelf: Shelf) -> None:
    plant(shelf, delete(AttributeRow).where(AttributeRow.text == "b"))


def item_without_an_end(shelf: Shelf) -> None:
    plant(shelf, update(ItemRow).values(finished_at=None))


def item_in_no_state(shelf: Shelf) -> None:
    plant(shelf, update(ItemRow).where(ItemRow.key == "b").values(state="lost in thought"))


def item_tried_too_often(shelf: Shelf) -> None:
    plant(shelf, update(ItemRow).where(ItemRow.key == "b").values(attempts=9))


def job_open_for_ever(shelf: Shelf) -> None:
    plant(shelf, update(JobRow).values(finished_at=None))


def call_nobody_waits_for(shelf: Shelf) -> None:
    call = {
        "at": "2020-01-01T00:00:00.000000Z",
        "state": "open",
        "provider": "p",
        "model": "m",
        "operation": "embed",
        "lane": "direct",
        "most_units": 1,
        "most_nanodollars": 1,
    }
    plant(shelf, insert(LedgerRow).values(**call))


def bytes_of_nobody(shelf: Shelf) -> None:
    shelf.library.originals.put(b"nobody's")


def segment_bits(shelf: Shelf) -> None:
    shelf.library._indexes.now()[0].close()
    shelf.library._indexes.now()[0]._ending.clear()
    [path] = shelf.library.data_dir.glob("indexes/*/dense-*/*/rows.f16")
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def dense_row_unknown_to_sql(shelf: Shelf) -> None:
    index = shelf.library._indexes.now()[0].dense.index
    index.change(np.array([99]), vectors_of(["ghost"]), [], index.seq)


def dense_row_missing(shelf: Shelf) -> None:
    index = shelf.library._indexes.now()[0].dense.index
    index.change(np.array([], np.int64), vectors_of([]), [newest(shelf)], index.seq)


def dense_row_of_another_text(shelf: Shelf) -> None:
    index = shelf.library._indexes.now()[0].dense.index
    part, live = index.moment()[1][0]
    part.rows.at(live)  # read before: what is checked once is believed by searches
    rows = part.rows.all()
    rows.flags.writeable = True
    rows[live[0]] = -rows[live[0]]


def word_row_missing(shelf: Shelf) -> None:
    index = shelf.library._indexes.now()[0].words.index
    index.change([], [newest(shelf)], index.seq)


def word_row_unknown_to_sql(shelf: Shelf) -> None:
    shelf.hits("fox")
    words = shelf.library._indexes.now()[0].words.index
    words.change([Entry(99, "ghost", "ghost")], [], words.seq)


def leftover_file(shelf: Shelf) -> None:
    for place in (".x.1.aa.aside", "indexes/col_gone"):
        path = shelf.library.data_dir / place
        path.mkdir(parents=True)
        os.utime(path, (0, 0))


def words_of_no_repository(filled: Shelf) -> None:
    (filled.library.data_dir / "code" / "repo_gone").mkdir(parents=True)


FLAWS: dict[Callable[[Shelf], None], set[str]] = {
    vector_bits: {"vectors"},
    vector_width: {"vectors"},
    vector_lost: {"vectors", "dense"},
    vector_of_another_model: {"vectors", "dense"},
    chunk_beyond_the_text: {"chunks"},
    former_chunk_alive: {"chunks", "counts", "dense", "words"},
    chunk_gone: {"documents", "counts", "dense", "words"},
    no_current_version: {"documents", "dense", "words"},
    counts: {"counts"},
    attribute_altered: {"attributes"},
    attribute_gone: {"attributes"},
    item_without_an_end: {"jobs"},
    item_in_no_state: {"jobs"},
    item_tried_too_often: {"jobs"},
    job_open_for_ever: {"jobs"},
    call_nobody_waits_for: {"ledger"},
    bytes_of_nobody: {"originals"},
    segment_bits: {"dense"},
    dense_row_unknown_to_sql: {"dense"},
    dense_row_missing: {"dense"},
    word_row_missing: {"words"},
    word_row_unknown_to_sql: {"words"},
    leftover_file: {"files"},
    words_of_no_repository: {"code"},
}
"""What is planted, and the parts that cannot overlook it."""


IN_SQL_OF_ITS_OWN = (vector_bits, chunk_beyond_the_text, attribute_gone, item_in_no_state)
"""Flaws that are found or mended by statements worth trying on PostgreSQL as well; all others went
well there too, and take a second each."""

CASES = [
    pytest.param(name, flaw, marks=getattr(pytest.mark, name), id=f"{name}-{flaw.__name__}")
    for name, flaws in (("sqlite", FLAWS), ("postgres", IN_SQL_OF_ITS_OWN))
    for flaw in flaws
]


@pytest.mark.parametrize(("backend", "flaw"), CASES, indirect=["backend"])
def test_a_planted_flaw_is_found_and_mended(filled: Shelf, flaw: Callable[[Shelf], None]) -> None:
    library = filled.library
    flaw(filled)

    found = library.checkup.run()
    mended = library.checkup.run(repair=True)
    work(filled)
    for indexes in library._indexes.now():
        indexes.keep_up()
    after = library.checkup.run()

    assert flawed(found) == FLAWS[flaw]
    assert not found.is_sound
    assert mended.is_sound, mended.flaws
    assert (after.flaws, after.is_sound) == ((), True)
    assert filled.texts("red fox blue whale white hare", k=20) == {
        line for content in TEXTS.values() for line in content.split("\n")
    }


def test_every_part_has_a_flaw_that_it_was_seen_to_find() -> None:
    by_hand = {"database"}  # below, for they cannot be planted on every database

    assert {part for parts in FLAWS.values() for part in parts} == set(PARTS) - by_hand
