"""Several processes write one library on PostgreSQL, and none of them sees a half or an old thing.

Two libraries, each with a folder of its own, stand for two processes: they share nothing but the
database.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from rag.domain import Source, document_id, version_of
from rag.errors import BudgetExhausted, Conflict, IndexGone, NotFound, RagError
from rag.spending import Budgets, Intent, Units
from rag.storage import publishing
from rag.storage.library import Library
from rag.storage.operations import Turn, changes_after
from rag.storage.tables import ChunkRow, OperationRow
from tests.storage.recipes import WHOLE, edition_in, question_in
from tests.storage.shelves import DIMENSION, Shelf, vectors_of

pytestmark = pytest.mark.postgres

BUDGETS = Budgets(day=Decimal("1.00"), job=None)


@pytest.fixture
def open_process(tmp_path: Path, postgres_url: str) -> Iterator[Callable[[str], Shelf]]:
    """Opens the library as a process with a folder of this name would."""
    opened: list[Library] = []

    def shelf(name: str) -> Shelf:
        library = Library.open(tmp_path / name, database_url=postgres_url, budgets=BUDGETS)
        opened.append(library)
        if not library.collections.list().data:
            create(library, "notes")
        return Shelf(library, library.collections.find("notes"))

    yield shelf
    for library in opened:
        library.close()


def create(library: Library, name: str) -> None:
    library.collections.create(name, embedding_model="words", dimension=DIMENSION, chunk_tokens=256)


@pytest.fixture
def one(open_process: Callable[[str], Shelf]) -> Shelf:
    return open_process("one")


@pytest.fixture
def other(one: Shelf, open_process: Callable[[str], Shelf]) -> Shelf:
    return open_process("other")


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each came to, begun at the same moment: its result, or the error of ours it raised."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        try:
            return work()
        except RagError as error:
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


# --- what one does, the others see ---


def test_what_one_published_the_other_finds_with_its_next_question(one, other) -> None:
    for n in range(5):
        one.put("a", f"whales number{n}")
        assert other.texts("whales", modes="words") == {f"whales number{n}"}
        other.put("b", f"krill number{n}")
        assert one.texts("krill", modes="words") == {f"krill number{n}"}
    other.library.documents.delete(other.library.documents.find_by_key(other.collection, "a").id)

    assert one.texts("whales krill") == {"krill number4"}


def test_a_collection_made_again_by_one_is_new_for_the_other(one, other) -> None:
    one.put("a", "old words")
    assert other.texts("words") == {"old words"}
    one.library.collections.delete(one.collection.id)
    with pytest.raises(NotFound):
        other.hits("words")
    create(one.library, "notes")
    with pytest.raises(NotFound):  # it is another one, with another index
        other.hits("words")
    for shelf in (one, other):
        shelf.collection = shelf.library.collections.find("notes")
    one.put("a", "new words")

    assert other.texts("words") == {"new words"}


def test_an_index_that_two_build_and_one_makes_serve_is_there_for_both(one, other) -> None:
    for n in range(8):
        one.put(f"{n}", f"line{n} red\nline{n} blue")
    one.library.indexes.begin(one.collection, WHOLE)

    def build(shelf: Shelf) -> int:
        library, done = shelf.library, 0
        while (claimed := library.jobs.claim(lease=60)) is not None:
            stored = library.indexes.stored(document_id(claimed.collection.id, claimed.key))
            library.indexes.publish(claimed, stored, edition_in(WHOLE, stored.document))
            done += 1
        return done

    def found(shelf: Shelf, question: str) -> set[str]:
        now = shelf.library.collections.find("notes")
        asked = question_in(WHOLE, question)
        return {hit.text for hit in shelf.library.chunks.search(now, question, asked, k=40).hits}

    assert sum(at_once(lambda: build(one), lambda: build(other))) == 8
    former, new = one.library.indexes.views(one.collection.id)
    assert "line3 red" in found(other, "line3")

    one.library.indexes.switch(one.collection, new.index)
    whole = {f"line{n} red\nline{n} blue" for n in range(8)}
    assert found(other, "red") == found(one, "red") == whole

    other.library.indexes.switch(other.library.collections.find("notes"), former.index)
    lines = {line for text in whole for line in text.split("\n")}
    assert found(one, "red") == found(other, "red") == lines
    one.library.indexes.drop(one.library.collections.find("notes"), new.index)
    with pytest.raises(IndexGone):
        other.library.chunks.search(new, "red", question_in(WHOLE, "red"), k=1)


def test_bytes_are_reached_by_all_and_go_with_their_last_document(one, other) -> None:
    version = version_of(b"shared words")
    first, second = one.put("first", "shared words"), other.put("second", "shared words")
    assert other.library.documents.content(first.id)[0] == b"shared words"

    one.library.documents.delete(first.id)
    assert one.library.originals.get(version) == b"shared words"
    other.library.documents.delete(second.id)
    with pytest.raises(NotFound):
        one.library.originals.get(version)


# --- operations become visible in their order ---


def followed_past_a_slow_publisher(
    one: Shelf, other: Shelf, monkeypatch: pytest.MonkeyPatch
) -> tuple[set[int], set[int]]:
    """Operations that a follower saw, and those there are. One publisher has its numbers and
    stands still before its commit; a second comes; the follower looks before and after."""
    stands, goes_on = threading.Event(), threading.Event()
    count = publishing.count_documents

    def slowly(session, id, **counts) -> None:
        if threading.current_thread().name == "slow":
            stands.set()
            assert goes_on.wait(20)
        count(session, id, **counts)

    monkeypatch.setattr(publishing, "count_documents", slowly)
    slow = threading.Thread(target=lambda: one.put("slow", "one word"), name="slow")
    slow.start()
    assert stands.wait(20)
    quick = threading.Thread(target=lambda: other.put("quick", "another word"))
    quick.start()
    quick.join(1.0)

    seen, seq = follow(one, set(), 0)
    goes_on.set()
    slow.join()
    quick.join()
    seen, _ = follow(one, seen, seq)
    with one.library._database.read() as session:
        return seen, set(session.scalars(select(OperationRow.chunk)))


def follow(shelf: Shelf, seen: set[int], seq: int) -> tuple[set[int], int]:
    with shelf.library._database.read() as session:
        [index_version] = session.scalars(select(ChunkRow.index_version_id).distinct()).all() or [1]
        while changes := changes_after(session, index_version, seq):
            seen, seq = seen | set(changes.put), changes.seq
    return seen, seq


def test_a_follower_misses_nothing_of_two_that_publish_at_once(one, other, monkeypatch) -> None:
    seen, there_are = followed_past_a_slow_publisher(one, other, monkeypatch)

    assert seen == there_are
    assert len(seen) == 2


def test_without_turns_a_follower_would_miss_the_slower_one(one, other, monkeypatch) -> None:
    monkeypatch.setattr(publishing, "take_turn", lambda session, id: Turn(session))

    seen, there_are = followed_past_a_slow_publisher(one, other, monkeypatch)

    assert seen < there_are


# --- two transactions at once ---


def test_of_one_key_published_at_once_one_version_answers(one, other) -> None:
    for n in range(5):
        ended = at_once(
            lambda n=n: one.put("a", f"whales one{n}"),
            lambda n=n: other.put("a", f"whales other{n}"),
        )
        assert not [error for error in ended if isinstance(error, RagError)]
        [hit] = one.hits("whales", modes="words")

        assert hit.text in (f"whales one{n}", f"whales other{n}")
        assert other.hits("whales", modes="words") == [hit]
    now = one.library.collections.find("notes")
    assert (now.documents, now.chunks) == (1, 1)


def test_publishing_and_deleting_what_shares_text_and_bytes_disturbs_neither(one, other) -> None:
    kept = one.put("kept", "shared words", title="t")
    for _ in range(5):
        gone = other.put("gone", "shared words", title="t")
        ended = at_once(
            lambda gone=gone: one.library.documents.delete(gone.id),
            lambda: other.put("new", "shared words", title="t"),
            lambda: one.put("newer", "shared words\nmore", title="t"),
        )
        assert not [error for error in ended if isinstance(error, RagError)]
        for key in ("new", "newer"):
            document = one.library.documents.find_by_key(one.collection, key)
            assert other.library.documents.content(document.id)[0].startswith(b"shared words")
        assert {hit.key for hit in other.hits("shared", modes="words")} == {"kept", "new", "newer"}
        one.library.documents.delete(document.id)
        one.library.documents.delete(one.library.documents.find_by_key(one.collection, "new").id)
    assert one.library.documents.content(kept.id)[0] == b"shared words"


def test_an_item_is_claimed_once_and_the_last_to_end_closes_the_job(one, other) -> None:
    for _ in range(3):
        sources = [Source(f"{n}", b"words") for n in range(12)]
        job = one.library.jobs.create(one.collection, sources)

        def work(shelf: Shelf) -> list[str]:
            keys = []
            while (claimed := shelf.library.jobs.claim(lease=60)) is not None:
                keys.append(claimed.key)
                shelf.library.jobs.finish(claimed, "refused")
            return keys

        ended = at_once(*(lambda s=s: work(s) for s in (one, other, one, other)))
        assert Counter(key for keys in ended for key in keys) == Counter(s.key for s in sources)
        assert other.library.jobs.find(job.id).state == "failed"


def test_a_cancelled_item_is_not_published_by_whoever_has_it(one, other) -> None:
    for n in range(5):
        job = one.library.jobs.create(one.collection, [Source("a", f"words {n}".encode())])
        claimed = other.library.jobs.claim(lease=60)
        ended = at_once(
            lambda claimed=claimed, n=n: other.put("a", f"words {n}", claimed=claimed),
            lambda job=job: one.library.jobs.cancel(job.id),
        )

        state = one.library.jobs.items(job.id).data[0].state
        assert isinstance(ended[0], Conflict) == (state == "cancelled")
        assert (f"words {n}" in one.texts("words")) == (state == "indexed")


def test_the_last_cent_is_spent_once(one, other) -> None:
    call = Intent("mistral", "mistral-embed", "embed", Units(1), Decimal("0.30"))
    ended = at_once(*(lambda s=s: s.library.ledger.intend(call) for s in (one, other) * 4))

    assert sum(isinstance(error, BudgetExhausted) for error in ended) == 5
    assert one.library.ledger.remaining() == {"day": Decimal("0.10")}


def test_a_collection_is_created_once(one, other) -> None:
    ended = at_once(*(lambda s=s: create(s.library, "default") for s in (one, other) * 2))

    assert sum(isinstance(error, Conflict) for error in ended) == 3
    assert [each.name for each in one.library.collections.list().data] == ["default", "notes"]


def test_the_same_bytes_readings_and_vectors_may_be_kept_at_once(one, other) -> None:
    texts = [f"text {n}" for n in range(50)]
    vectors = vectors_of(texts)
    document = one.library.documents.text(one.put("a", "words").id)
    works = [
        work
        for shelf in (one, other)
        for work in (
            lambda s=shelf: s.library.originals.put(b"bytes" * 1_000_000),
            lambda s=shelf: s.library.purchases.keep_reading(
                document.version, "reader/1", document
            ),
            lambda s=shelf: s.library.purchases.keep_embeddings("words", "passage", texts, vectors),
            lambda s=shelf: s.library.purchases.keep_embeddings(
                "words", "passage", texts[::-1], vectors[::-1]
            ),
        )
    ]

    assert not [error for error in at_once(*works) if isinstance(error, RagError)]
    assert other.library.purchases.reading(document.version, "reader/1") == document
    assert len(other.library.purchases.embeddings("words", "passage", texts)) == 50


# --- nodes ---


def test_a_node_that_starts_again_gives_up_what_it_had_and_nothing_else(
    one, other, open_process
) -> None:
    call = Intent("mistral", "mistral-embed", "embed", Units(1), Decimal("0.10"))
    job = one.library.jobs.create(one.collection, [Source("a", b"one"), Source("b", b"two")])
    ours, theirs = one.library.jobs.claim(lease=9_999), other.library.jobs.claim(lease=9_999)
    one.library.ledger.intend(call)
    intent = other.library.ledger.intend(call)

    one.library.close()
    again = open_process("one")

    assert again.library.jobs.claim(lease=60).key == ours.key
    assert again.library.jobs.claim(lease=60) is None
    other.put("b", "two", claimed=theirs)
    assert [item.state for item in again.library.jobs.items(job.id).data] == ["queued", "indexed"]
    other.library.ledger.withdraw(intent)
    (total,) = again.library.ledger.spent()
    assert total.lost_calls == 1


def test_a_claim_of_a_node_that_is_gone_is_taken_over_when_its_lease_passes(one, other) -> None:
    one.library.jobs.create(one.collection, [Source("a", b"one")])
    slow = one.library.jobs.claim(lease=-1)
    quick = other.library.jobs.claim(lease=60)

    assert quick.item_id == slow.item_id
    with pytest.raises(Conflict):
        one.put("a", "one", claimed=slow)
    other.put("a", "one", claimed=quick)
    assert one.texts("one") == {"one"}


def test_each_node_keeps_its_own_files_and_starts_from_them(one, other, open_process) -> None:
    one.put("a", "red words")
    other.hits("red")
    one.library.close()
    other.library.close()

    again = open_process("one")
    again.put("b", "blue words")
    again.library.close()
    assert open_process("other").texts("words") == {"red words", "blue words"}
