"""Several indexes of a collection side by side: each document in each of them exactly once."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rag.domain import Chunk, Collection, IndexId, Source, Vectors, document_id
from rag.errors import Conflict, IndexesChanged, IndexGone, NotFound
from rag.storage import opened
from rag.storage.claims import ClaimedItem
from rag.storage.indexversions import IndexVersion, all_versions
from rag.storage.library import Library
from rag.storage.publishing import Edition
from rag.storage.rebuilding import Recipe
from rag.storage.tables import (
    ChunkRow,
    EmbeddingRow,
    GenerationRow,
    IndexVersionRow,
    OperationRow,
    VersionRow,
)

OTHER = Recipe("letters", 8, 64, "blocks")
"""Another model, of another width."""

LEASE = 60.0
COLORS = ("red", "green", "blue", "white", "black")


def letters_of(texts: list[str]) -> Vectors:
    """Counts of the first letters of words: nothing that the other model knows."""
    rows = np.full((len(texts), 8), 1e-3, dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in text.lower().split():
            row[ord(word[0]) % 8] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def halves(text: str) -> tuple[Chunk, ...]:
    """Another way of cutting than line by line."""
    middle = len(text) // 2
    spans = [(0, middle), (middle, len(text))]
    return tuple(
        Chunk(start, end, text[start:end], 1, lines=(1, 1)) for start, end in spans if end > start
    )


def edition_of(text: str) -> Edition:
    chunks = halves(text)
    return Edition(chunks, letters_of([chunk.text for chunk in chunks]))


def begin(shelf) -> IndexId:
    job = shelf.library.indexes.begin(shelf.collection, OTHER)
    assert job.kind == "reindex"
    assert job.index is not None
    return job.index


def work(library: Library) -> int:
    """Does what is queued; how many items that was."""
    done = 0
    while (claimed := library.jobs.claim(lease=LEASE)) is not None:
        build(library, claimed)
        done += 1
    return done


def build(library: Library, claimed: ClaimedItem) -> str:
    stored = library.indexes.stored(document_id(claimed.collection.id, claimed.key))
    assert stored is not None
    return library.indexes.publish(claimed, stored, edition_of(stored.document.text))


def put(shelf, key: str, text: str) -> None:
    """Into every index that there is, as ingestion does."""
    while True:
        views = shelf.library.indexes.views(shelf.collection.id)
        others = [view.index for view in views if view.index != shelf.collection.index]
        try:
            shelf.put(key, text, others={index: edition_of(text) for index in others})
            return
        except IndexesChanged:
            continue


def found(library: Library, view: Collection, question: str, k: int = 50) -> list[str]:
    vector = letters_of([question]) if view.embedding_model == "letters" else None
    hits = library.chunks.search(view, question, vector, k=k).hits
    return sorted(hit.text for hit in hits)


def contents(library: Library, view: Collection) -> dict[str, list[str]]:
    """What each document has in an index, by the database."""
    number = int(view.index.removeprefix("idx_"))
    with library._database.read() as session:
        rows = session.execute(
            select(ChunkRow.document_id, ChunkRow.start, ChunkRow.end, VersionRow.text)
            .join(VersionRow, VersionRow.id == ChunkRow.version_id)
            .where(ChunkRow.index_version_id == number, ChunkRow.live)
            .order_by(ChunkRow.id)
        ).all()
    pieces: dict[str, list[str]] = {}
    for id, start, end, text in rows:
        pieces.setdefault(id, []).append(text[start:end])
    return pieces


def test_an_index_is_built_from_what_is_stored(shelf) -> None:
    for key in ("a", "b", "c"):
        put(shelf, key, f"text of {key}")
    index = begin(shelf)
    before = {one.id: one for one in shelf.library.indexes.list(shelf.collection)}

    assert (before[index].state, before[index].documents, before[index].chunks) == (
        "building",
        0,
        0,
    )
    assert work(shelf.library) == 3
    [serving, other] = shelf.library.indexes.list(shelf.collection)
    assert (serving.serves, serving.documents, serving.chunks) == (True, 3, 3)
    assert (other.id, other.state, other.serves) == (index, "ready", False)
    assert (other.documents, other.documents_total, other.chunks) == (3, 3, 6)
    view = shelf.library.indexes.view(shelf.collection, index)
    assert (view.embedding_model, view.dimension, view.chunk_tokens) == ("letters", 8, 64)
    assert found(shelf.library, view, "text of b", k=6) == sorted(
        half for key in "abc" for half in ("text", f" of {key}")
    )


def test_the_job_says_how_far_it_is(shelf) -> None:
    for key in ("a", "b"):
        put(shelf, key, f"text of {key}")
    job = shelf.library.indexes.begin(shelf.collection, OTHER)

    assert (job.state, job.items.total) == ("queued", 2)
    claimed = shelf.library.jobs.claim(lease=LEASE)
    build(shelf.library, claimed)
    job = shelf.library.jobs.find(job.id)
    assert (job.state, job.items.done) == ("running", 1)
    work(shelf.library)
    job = shelf.library.jobs.find(job.id)
    assert (job.state, job.items.done, job.progress["chunks"]) == ("succeeded", 2, 4)


def test_a_collection_without_documents_has_its_index_at_once(shelf) -> None:
    job = shelf.library.indexes.begin(shelf.collection, OTHER)

    assert job.state == "succeeded"
    assert shelf.library.indexes.switch(shelf.collection, job.index).embedding_model == "letters"


def test_asking_again_gives_the_job_under_way(shelf) -> None:
    put(shelf, "a", "some text")
    first = shelf.library.indexes.begin(shelf.collection, OTHER)
    again = shelf.library.indexes.begin(shelf.collection, OTHER)

    assert again.id == first.id
    assert len(shelf.library.indexes.list(shelf.collection)) == 2


def test_an_index_goes_with_the_cancelled_job_that_built_it(shelf, data_dir: Path) -> None:
    for key in "abc":
        put(shelf, key, f"text of {key}")
    job = shelf.library.indexes.begin(shelf.collection, OTHER)
    build(shelf.library, shelf.library.jobs.claim(lease=LEASE))
    shelf.library.jobs.cancel(job.id)

    assert shelf.library.jobs.find(job.id).state == "cancelled"
    assert len(shelf.library.indexes.list(shelf.collection)) == 1
    assert set(rows_of(shelf.library, job.index).values()) == {0}
    assert not list((data_dir / "indexes").glob(f"*/*-{job.index.removeprefix('idx_')}"))
    shelf.put("d", "goes into the one index that is left")
    assert shelf.library.jobs.retry(job.id, ["b"]).obsolete == 1
    again = shelf.library.indexes.begin(shelf.collection, OTHER)
    assert (again.index != job.index, again.items.total) == (True, 4)


def test_what_one_cancelled_item_leaves_out_the_next_job_completes(shelf) -> None:
    for key in "abc":
        put(shelf, key, f"text of {key}")
    first = shelf.library.indexes.begin(shelf.collection, OTHER)
    shelf.library.jobs.cancel(first.id, ["b"])
    assert work(shelf.library) == 2
    second = shelf.library.indexes.begin(shelf.collection, OTHER)

    assert (second.index, second.items.total) == (first.index, 1)
    assert work(shelf.library) == 1
    assert shelf.library.indexes.list(shelf.collection)[1].state == "ready"


def test_an_index_that_has_served_is_not_called_off(shelf) -> None:
    put(shelf, "a", "text")
    former = shelf.collection.index
    job = shelf.library.indexes.begin(shelf.collection, OTHER)
    assert work(shelf.library) == 1
    shelf.library.indexes.switch(shelf.collection, job.index)
    [_, before] = shelf.library.indexes.list(shelf.collection)
    recipe = Recipe(before.embedding_model, before.dimension, before.chunk_tokens, before.chunker)
    shelf.library.jobs.cancel(shelf.library.indexes.begin(shelf.collection, recipe).id)
    shelf.library.jobs.cancel(job.id)

    assert {one.id for one in shelf.library.indexes.list(shelf.collection)} == {former, job.index}


def test_what_serves_already_is_not_built_again(shelf) -> None:
    [serving] = shelf.library.indexes.list(shelf.collection)
    same = Recipe(serving.embedding_model, serving.dimension, serving.chunk_tokens, serving.chunker)

    with pytest.raises(Conflict, match="is just that"):
        shelf.library.indexes.begin(shelf.collection, same)


def test_a_new_document_goes_into_every_index_or_into_none(shelf) -> None:
    begin(shelf)

    with pytest.raises(IndexesChanged):
        shelf.put("a", "red words")
    assert shelf.hits("red") == []
    put(shelf, "a", "red words")
    [serving, other] = shelf.library.indexes.views(shelf.collection.id)
    assert contents(shelf.library, serving).keys() == contents(shelf.library, other).keys()
    assert found(shelf.library, other, "red") == ["red ", "words"]


def test_an_updated_document_answers_with_its_new_text_from_every_index(shelf) -> None:
    put(shelf, "a", "red words")
    begin(shelf)
    put(shelf, "a", "blue words")

    assert work(shelf.library) == 1  # and found nothing to do
    for view in shelf.library.indexes.views(shelf.collection.id):
        assert "".join(found(shelf.library, view, "words")) != ""
        assert all("red" not in text for text in found(shelf.library, view, "red"))


def test_a_deleted_document_is_in_no_index(shelf) -> None:
    put(shelf, "a", "red words")
    put(shelf, "b", "red letters")
    job = shelf.library.indexes.begin(shelf.collection, OTHER)
    build(shelf.library, shelf.library.jobs.claim(lease=LEASE))
    for key in "ab":
        shelf.library.documents.delete(document_id(shelf.collection.id, key))

    assert work(shelf.library) == 0
    assert shelf.library.jobs.find(job.id).state == "succeeded"  # there is nothing that it lacks
    for view in shelf.library.indexes.views(shelf.collection.id):
        assert found(shelf.library, view, "red") == []
    assert {
        (one.documents, one.chunks) for one in shelf.library.indexes.list(shelf.collection)
    } == {(0, 0)}


def test_a_document_replaced_while_it_is_embedded_anew_keeps_its_new_text(shelf) -> None:
    put(shelf, "a", "red words")
    begin(shelf)
    claimed = shelf.library.jobs.claim(lease=LEASE)
    stored = shelf.library.indexes.stored(document_id(shelf.collection.id, "a"))
    put(shelf, "a", "blue words")

    state = shelf.library.indexes.publish(claimed, stored, edition_of(stored.document.text))

    assert state == "superseded"
    [_, other] = shelf.library.indexes.views(shelf.collection.id)
    assert list(contents(shelf.library, other).values()) == [["blue ", "words"]]


def test_a_document_deleted_while_it_is_embedded_anew_does_not_come_back(shelf) -> None:
    put(shelf, "a", "red words")
    begin(shelf)
    claimed = shelf.library.jobs.claim(lease=LEASE)
    stored = shelf.library.indexes.stored(document_id(shelf.collection.id, "a"))
    shelf.library.documents.delete(document_id(shelf.collection.id, "a"))

    with pytest.raises(Conflict):
        shelf.library.indexes.publish(claimed, stored, edition_of(stored.document.text))
    [_, other] = shelf.library.indexes.views(shelf.collection.id)
    assert contents(shelf.library, other) == {}


def test_the_same_item_done_twice_puts_a_document_once(shelf) -> None:
    put(shelf, "a", "red words")
    begin(shelf)
    slow = shelf.library.jobs.claim(lease=-1.0)
    build(shelf.library, shelf.library.jobs.claim(lease=LEASE))

    with pytest.raises(Conflict):
        build(shelf.library, slow)
    [_, other] = shelf.library.indexes.views(shelf.collection.id)
    assert list(contents(shelf.library, other).values()) == [["red ", "words"]]


def test_what_is_handed_in_is_read_before_an_index_is_built_on(shelf) -> None:
    put(shelf, "a", "red words")
    begin(shelf)
    shelf.library.jobs.create(shelf.collection, [Source("b", b"blue words")])

    first = shelf.library.jobs.claim(lease=LEASE)
    second = shelf.library.jobs.claim(lease=LEASE)

    assert (first.key, first.builds) == ("b", None)
    assert (second.key, second.builds) == ("a", second.collection.index)


def test_the_same_bytes_are_unchanged_while_an_index_is_built(shelf) -> None:
    put(shelf, "a", "red words")
    begin(shelf)
    job = shelf.library.jobs.create(shelf.collection, [Source("a", b"red words")])

    assert job.state == "succeeded"
    assert shelf.library.jobs.items(job.id).data[0].state == "unchanged"


def test_a_job_that_builds_an_index_takes_no_documents(shelf) -> None:
    job = shelf.library.indexes.begin(shelf.collection, OTHER)

    with pytest.raises(Conflict, match="builds an index"):
        shelf.library.jobs.queue(shelf.collection, [Source("a", b"red")], job=job.id)


# --- switching ---


@pytest.fixture
def two(shelf) -> IndexId:
    """Ten documents in two indexes, both complete; the id of the one that does not serve."""
    for number in range(10):
        put(shelf, f"{number}", f"{COLORS[number % 5]} words of {number}")
    index = begin(shelf)
    work(shelf.library)
    return index


def test_switching_is_one_step_and_so_is_going_back(shelf, two: IndexId) -> None:
    former = shelf.collection
    now = shelf.library.indexes.switch(former, two)

    assert (now.index, now.embedding_model, now.chunks) == (two, "letters", 20)
    assert shelf.library.collections.find("notes") == now
    assert {one.chunks for one in shelf.library.documents.list(now).data} == {2}
    put(shelf, "new", "new words")  # the former is kept up
    back = shelf.library.indexes.switch(now, former.index)
    assert (back.index, back.embedding_model, back.chunks) == (former.index, "words", 11)
    assert {one.chunks for one in shelf.library.documents.list(back).data} == {1}
    assert "new words" in shelf.texts("new")


def test_counts_stay_right_when_documents_go_after_a_switch(shelf, two: IndexId) -> None:
    now = shelf.library.indexes.switch(shelf.collection, two)
    shelf.library.documents.delete(document_id(now.id, "1"))
    put(shelf, "2", "other words altogether")

    assert shelf.library.collections.find("notes").chunks == 18
    assert {one.chunks for one in shelf.library.indexes.list(now)} == {18, 9}


def test_an_index_that_lacks_documents_cannot_serve(shelf) -> None:
    put(shelf, "a", "red words")
    index = begin(shelf)

    with pytest.raises(Conflict, match="lacks 1 documents"):
        shelf.library.indexes.switch(shelf.collection, index)
    assert shelf.library.collections.find("notes").index == shelf.collection.index
    assert shelf.texts("red") == {"red words"}


def test_an_index_that_was_left_out_lacks_the_document(shelf, two: IndexId) -> None:
    shelf.put("new", "new words", left_out=frozenset({two}))
    [_, other] = shelf.library.indexes.list(shelf.collection)

    assert (other.state, other.documents, other.documents_total) == ("building", 10, 11)
    with pytest.raises(Conflict, match="lacks 1"):
        shelf.library.indexes.switch(shelf.collection, two)
    assert begin(shelf) == two
    assert work(shelf.library) == 1
    assert shelf.library.indexes.switch(shelf.collection, two).index == two


def test_the_index_that_serves_cannot_be_left_out(shelf) -> None:
    with pytest.raises(IndexesChanged):
        shelf.put("a", "red", through=Collection(shelf.collection.id, "notes", None, None, 1, 0.5))


def test_who_still_sees_the_former_index_is_answered_from_it(shelf, two: IndexId) -> None:
    """A question embedded before the switch has a vector of the former model."""
    shelf.library.indexes.switch(shelf.collection, two)
    put(shelf, "late", "red latecomer")

    assert "red latecomer" in shelf.texts("red latecomer")
    assert shelf.library.chunks.search(shelf.collection, "red", None, k=1).hits


def test_each_index_has_its_own_weight(shelf, two: IndexId) -> None:
    shelf.library.collections.set_dense_weight(shelf.collection, 0.125)
    view = shelf.library.indexes.view(shelf.collection, two)
    shelf.library.collections.set_dense_weight(view, 0.875)

    assert shelf.library.collections.find("notes").dense_weight == 0.125
    assert shelf.library.indexes.switch(shelf.collection, two).dense_weight == 0.875


def test_an_index_of_another_collection_is_not_found(shelf, wordy_shelf) -> None:
    for index in (wordy_shelf.collection.index, IndexId("idx_99"), IndexId("1"), IndexId("idx_01")):
        with pytest.raises(NotFound):
            shelf.library.indexes.switch(shelf.collection, index)


# --- dropping ---


def rows_of(library: Library, index: IndexId) -> dict[str, int]:
    number = int(index.removeprefix("idx_"))
    with library._database.read() as session:
        left = {
            table.__tablename__: session.scalar(
                select(func.count()).select_from(table).where(table.index_version_id == number)
            )
            for table in (ChunkRow, OperationRow, GenerationRow)
        }
        left["vectors"] = session.scalar(
            select(func.count()).select_from(EmbeddingRow).where(EmbeddingRow.model == "letters")
        )
    return left


def test_a_dropped_index_leaves_nothing_behind(shelf, data_dir: Path, two: IndexId) -> None:
    put(shelf, "1", "replaced words")  # leaves chunks of a former version
    former = shelf.hits("red")
    assert rows_of(shelf.library, two)["vectors"] > 0
    shelf.library.indexes.drop(shelf.collection, two)

    assert set(rows_of(shelf.library, two).values()) == {0}
    assert not list((data_dir / "indexes").glob(f"*/*-{two.removeprefix('idx_')}"))
    assert [one.id for one in shelf.library.indexes.list(shelf.collection)] == [
        shelf.collection.index
    ]
    assert shelf.hits("red") == former
    shelf.put("a", "alone again")  # nobody asks for the other edition any more
    assert "alone again" in shelf.texts("alone")


def test_an_index_dropped_while_upkeep_looks_for_it_leaves_no_files(
    shelf, data_dir: Path, two: IndexId, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropping = threading.Thread(target=shelf.library.indexes.drop, args=(shelf.collection, two))

    def read_before_it_is_dropped(session: Session) -> tuple[IndexVersion, ...]:
        read = all_versions(session)
        if dropping.ident is None:
            dropping.start()
            dropping.join(0.3)  # what can be done by now is done
        return read

    with monkeypatch.context() as once:
        once.setattr(opened, "all_versions", read_before_it_is_dropped)
        shelf.library.indexes._indexes.all()
    dropping.join()

    assert not list((data_dir / "indexes").glob(f"*/*-{two.removeprefix('idx_')}"))


def test_vectors_that_another_index_uses_stay(shelf, two: IndexId) -> None:
    third = Recipe("letters", 8, 32, "blocks")
    shelf.library.indexes.begin(shelf.collection, third)
    work(shelf.library)
    before = rows_of(shelf.library, two)["vectors"]
    shelf.library.indexes.drop(shelf.collection, two)

    assert rows_of(shelf.library, two)["vectors"] == before
    [_, left] = shelf.library.indexes.views(shelf.collection.id)
    assert len(found(shelf.library, left, "red words of 5")) == 20


def test_the_index_that_serves_is_not_dropped(shelf, two: IndexId) -> None:
    with pytest.raises(Conflict, match="serves"):
        shelf.library.indexes.drop(shelf.collection, shelf.collection.index)
    assert shelf.texts("red")


def test_dropping_ends_the_job_that_builds(shelf) -> None:
    put(shelf, "a", "red words")
    job = shelf.library.indexes.begin(shelf.collection, OTHER)
    claimed = shelf.library.jobs.claim(lease=LEASE)
    shelf.library.indexes.drop(shelf.collection, job.index)

    assert shelf.library.jobs.find(job.id).state == "cancelled"
    with pytest.raises(Conflict):
        build(shelf.library, claimed)
    assert shelf.texts("red") == {"red words"}


def test_who_still_sees_a_dropped_index_is_told(shelf, two: IndexId) -> None:
    view = shelf.library.indexes.view(shelf.collection, two)
    shelf.library.indexes.drop(shelf.collection, two)

    with pytest.raises(IndexGone):
        found(shelf.library, view, "red")


def test_a_drop_cut_short_is_finished_by_the_next_start(
    open_shelf: Callable[[], object], data_dir: Path
) -> None:
    shelf = open_shelf()
    put(shelf, "a", "red words")
    index = begin(shelf)
    work(shelf.library)
    with shelf.library._database.write() as session:
        number = int(index.removeprefix("idx_"))
        dropped = update(IndexVersionRow).where(IndexVersionRow.id == number)
        session.execute(dropped.values(is_dropped=True))
    shelf = open_shelf()

    assert set(rows_of(shelf.library, index).values()) == {0}
    assert not list((data_dir / "indexes").glob(f"*/*-{number}"))
    assert shelf.texts("red") == {"red words"}


# --- all at once ---


@pytest.fixture
def hurried(shelf) -> Iterator[list[threading.Thread]]:
    """Threads that are waited for."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("seed", range(3))
def test_documents_that_come_and_go_while_an_index_is_built_are_in_both_once(
    shelf, hurried: list[threading.Thread], seed: int
) -> None:
    chance = random.Random(seed)
    keys = [f"{number}" for number in range(12)]
    truth = {key: f"{COLORS[n % 5]} words of {key}" for n, key in enumerate(keys)}
    for key, text in truth.items():
        put(shelf, key, text)
    changes = [(chance.choice(keys), chance.choice((*COLORS, None))) for _ in range(25)]
    failures: list[BaseException] = []

    def guarded(step: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                step()
            except BaseException as error:
                failures.append(error)

        return run

    def change() -> None:
        for key, color in changes:
            if color is not None:
                truth[key] = f"{color} again {key}"
                put(shelf, key, truth[key])
            elif truth.pop(key, None) is not None:
                shelf.library.documents.delete(document_id(shelf.collection.id, key))

    def build_all() -> None:
        begin(shelf)
        while (claimed := shelf.library.jobs.claim(lease=LEASE)) is not None:
            try:
                build(shelf.library, claimed)
            except (Conflict, AssertionError):
                continue  # deleted meanwhile

    hurried += [threading.Thread(target=guarded(step)) for step in (change, build_all)]
    for thread in hurried:
        thread.start()
    for thread in hurried:
        thread.join()

    assert failures == []
    serving, other = shelf.library.indexes.views(shelf.collection.id)
    expected = {document_id(shelf.collection.id, key): text for key, text in truth.items()}
    for view in (serving, other):
        assert {id: "".join(parts) for id, parts in contents(shelf.library, view).items()} == (
            expected
        )
    assert {one.state for one in shelf.library.indexes.list(serving)} == {"ready"}
    everything = set(expected.values())
    assert set(shelf.texts("words again of", k=50)) == everything
    assert len(found(shelf.library, other, "words again of", k=50)) == 2 * len(everything)
