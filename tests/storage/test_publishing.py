"""What is acknowledged is there, whole, and searchable once; what is deleted is gone."""

from pathlib import Path

import numpy as np
import pytest

from rag.domain import (
    Answer,
    AnswerId,
    Citation,
    CitationId,
    Document,
    Failure,
    Source,
    Span,
    version_of,
)
from rag.errors import Conflict, InvalidDocument, InvalidRequest, NotFound, RagError
from rag.ranking.analysis.terms import terms_of
from rag.storage import publishing
from rag.storage.forgetting import Forgetting
from rag.storage.lexical import terms


def test_words_are_found_before_anything_is_written_and_once(shelf, monkeypatch) -> None:
    """Whoever searches right after the commit does not wait for that."""
    looked_at: list[tuple[str, int]] = []

    def looking(text: str, around: str | None) -> terms.Found:
        looked_at.append((text, shelf.library.health().documents))
        return terms_of(text, around)

    monkeypatch.setattr(terms, "terms_of", looking)
    shelf.put("a", "the quick brown fox", title="Animals")

    assert [text.count("quick brown fox") for text, _ in looked_at] == [1]
    assert [documents for _, documents in looked_at] == [0]
    assert len(shelf.hits("foxes", modes="words", k=1)) == 1
    assert not terms._AT_HAND


def test_a_published_document_is_found_by_words_and_by_meaning(shelf) -> None:
    shelf.put("a", "the quick brown fox")
    shelf.put("b", "a lazy dog")

    assert shelf.hits("fox", modes="words", k=1)[0].text == "the quick brown fox"
    assert shelf.hits("lazy dog", modes="dense", k=1)[0].text == "a lazy dog"


def test_a_published_document_survives_closing_and_opening(open_shelf) -> None:
    summary = open_shelf().put("a", "the quick brown fox", year=2020)

    shelf = open_shelf()

    assert shelf.library.documents.find(summary.id) == summary
    assert shelf.library.documents.text(summary.id).text == "the quick brown fox"
    assert shelf.library.documents.content(summary.id) == (b"the quick brown fox", "text/plain")
    assert [hit.text for hit in shelf.hits("fox")] == ["the quick brown fox"]


def test_a_new_version_answers_instead_of_the_old_one(shelf) -> None:
    old = shelf.put("a", "first words\nsecond words")
    new = shelf.put("a", "third words")

    assert shelf.texts("words") == {"third words"}
    assert new.id == old.id
    assert shelf.library.collections.find("notes").documents == 1
    assert shelf.library.collections.find("notes").chunks == 1


def test_the_text_of_an_old_version_can_still_be_read(shelf) -> None:
    old = shelf.put("a", "first words")
    shelf.put("a", "other words")

    assert shelf.library.documents.text(old.id, old.version).text == "first words"
    assert shelf.library.documents.text(old.id).text == "other words"
    with pytest.raises(NotFound):
        shelf.library.documents.text(old.id, version_of(b"never put"))


def test_going_back_to_an_old_version_makes_it_answer_again(shelf) -> None:
    shelf.put("a", "first words")
    shelf.put("a", "other words")
    shelf.put("a", "first words")

    assert shelf.texts("words") == {"first words"}


def test_publishing_the_same_again_changes_nothing(shelf) -> None:
    first = shelf.put("a", "the same words")
    [hit] = shelf.hits("words")
    again = shelf.put("a", "the same words")

    assert again == first
    assert shelf.hits("words") == [hit]
    assert shelf.library.collections.find("notes").chunks == 1


def test_the_same_bytes_with_another_title_are_published_anew(shelf) -> None:
    shelf.put("a", "the same words", title="Old")
    shelf.put("a", "the same words", title="Renamed")

    [hit] = shelf.hits("renamed", modes="words")
    assert hit.title == "Renamed"


def test_the_same_bytes_under_two_keys_are_two_documents(shelf) -> None:
    one = shelf.put("one", "shared words")
    two = shelf.put("two", "shared words")
    shelf.library.documents.delete(one.id)

    assert [hit.key for hit in shelf.hits("shared")] == ["two"]
    assert shelf.library.documents.content(two.id)[0] == b"shared words"


def test_a_deleted_document_is_never_found_again(open_shelf) -> None:
    shelf = open_shelf()
    summary = shelf.put("a", "the quick brown fox\nanother line")
    shelf.put("b", "the slow fox")
    shelf.library.documents.delete(summary.id)

    assert shelf.texts("the quick brown fox") == {"the slow fox"}
    shelf = open_shelf()
    assert shelf.texts("the quick brown fox") == {"the slow fox"}
    with pytest.raises(NotFound):
        shelf.library.documents.find(summary.id)


def test_bytes_of_a_deleted_document_go_though_they_were_never_published(shelf) -> None:
    summary = shelf.put("a", "a first version")
    shelf.put("b", "another document")
    shelf.library.jobs.create(shelf.collection, [Source("a", b"waits"), Source("b", b"waits too")])
    refused = shelf.library.jobs.claim(lease=60)
    reason = Failure("unreadable", "read", "it cannot be read")
    shelf.library.jobs.finish(refused, "refused", error=reason)
    shelf.library.documents.delete(summary.id)

    with pytest.raises(NotFound):
        shelf.library.originals.get(version_of(b"waits"))
    shelf.library.originals.get(version_of(b"waits too"))


def test_nothing_of_a_deleted_document_stays_in_the_database_or_among_the_bytes(
    open_shelf, data_dir: Path
) -> None:
    shelf = open_shelf()
    summary = shelf.put("a", "unmistakable-phrase in it")
    shelf.put("a", "unmistakable-phrase again")
    version = version_of(b"unmistakable-phrase again")
    document = shelf.library.documents.text(summary.id)
    shelf.library.purchases.keep_reading(version, "reader/1", document)
    shelf.library.answers.keep(answer_quoting(summary.id, "unmistakable-phrase again"))
    shelf.library.documents.delete(summary.id)

    assert shelf.library.purchases.reading(version, "reader/1") is None
    for lost in (
        lambda: shelf.library.answers.find(AnswerId("ans_1")),
        lambda: shelf.library.originals.get(version),
    ):
        with pytest.raises(NotFound):
            lost()
    shelf.library.close()
    kept = [path.read_bytes() for path in data_dir.rglob("*") if path.is_file()]
    assert not any(b"unmistakable-phrase" in content for content in kept)
    assert not [path for path in (data_dir / "blobs").rglob("*") if path.is_file()]


def test_a_vector_goes_with_the_last_document_that_uses_it(shelf) -> None:
    one = shelf.put("one", "shared words", title="t")
    two = shelf.put("two", "shared words", title="t")
    text = "t\nshared words"

    shelf.library.documents.delete(one.id)
    assert text in shelf.library.purchases.embeddings("words", "passage", [text])
    shelf.library.documents.delete(two.id)
    assert not shelf.library.purchases.embeddings("words", "passage", [text])


@pytest.mark.parametrize("step", ["_keep_next_version", "_keep_vectors", "find_document"])
def test_a_failure_in_the_middle_leaves_the_old_version_answering(
    open_shelf, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shelf = open_shelf()
    summary = shelf.put("a", "old words")

    def fail(*_: object) -> None:
        raise RagError("a planted failure")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, step, fail)
        with pytest.raises(RagError, match="planted"):
            shelf.put("a", "new words\nmore words")

    assert shelf.texts("words") == {"old words"}
    shelf = open_shelf()
    assert shelf.texts("words") == {"old words"}
    assert shelf.library.documents.find(summary.id) == summary
    assert shelf.library.collections.find("notes").chunks == 1


def test_vectors_that_do_not_fit_are_refused_before_anything_changes(shelf) -> None:
    shelf.library.originals.put(b"x")
    document = Document("x", version_of(b"x"), "text/plain", "x", "x")
    good = np.eye(1, 32, dtype=np.float32)

    def publish(vectors: np.ndarray | None, chunks: list | None = None) -> None:
        chunk = publishing.Chunk(0, 1, "x", 1)
        shelf.library.documents.publish(shelf.collection, document, chunks or [chunk], vectors)

    with pytest.raises(Conflict, match="32-wide vectors, but was offered 64"):
        publish(np.eye(1, 64, dtype=np.float32))
    with pytest.raises(Conflict, match="not none"):
        publish(None)
    with pytest.raises(InvalidRequest, match="length 1"):
        publish(good * np.nan)
    with pytest.raises(InvalidRequest, match="length 1"):
        publish(good * 2)
    with pytest.raises(InvalidRequest, match="1 texts need 1 vectors"):
        publish(np.repeat(good, 2, axis=0))
    assert shelf.hits("x") == []


def test_a_document_whose_bytes_were_never_kept_is_refused(shelf) -> None:
    document = Document("x", version_of(b"elsewhere"), "text/plain", "x", "x")

    with pytest.raises(Conflict, match="put_blob"):
        shelf.library.documents.publish(
            shelf.collection, document, [], np.empty((0, 32), np.float32)
        )


def test_half_characters_are_refused_by_name(shelf) -> None:
    shelf.library.originals.put(b"x")
    document = Document("x", version_of(b"x"), "text/plain", "x", "\ud800")

    with pytest.raises(InvalidDocument, match="surrogates"):
        shelf.library.documents.publish(
            shelf.collection, document, [], np.empty((0, 32), np.float32)
        )


def test_nul_characters_are_refused_by_name(shelf) -> None:
    shelf.library.originals.put(b"x")
    none = np.empty((0, 32), np.float32)
    for title, text in (("x", "a\0b"), ("a\0b", "x")):
        document = Document("x", version_of(b"x"), "text/plain", title, text)
        with pytest.raises(InvalidDocument, match="NUL"):
            shelf.library.documents.publish(shelf.collection, document, [], none)


def test_a_collection_without_a_model_is_searched_by_words(wordy_shelf) -> None:
    wordy_shelf.put("a", "the quick brown fox")

    [candidate] = wordy_shelf.library.chunks.search(
        wordy_shelf.collection, "fox", None, k=3
    ).candidates
    assert candidate.words is not None
    assert candidate.dense is None


def test_texts_embedded_once_are_known_afterwards(shelf) -> None:
    vectors = np.eye(2, 32, dtype=np.float32)
    shelf.library.purchases.keep_embeddings("m", "query", ["one", "two"], vectors)
    known = shelf.library.purchases.embeddings("m", "query", ["two", "three", "one"])

    assert known.keys() == {"one", "two"}
    assert np.array_equal(known["two"], vectors[1])
    assert not shelf.library.purchases.embeddings("m", "passage", ["one"])
    assert not shelf.library.purchases.embeddings("other", "query", ["one"])


def answer_quoting(document_id: str, quote: str) -> Answer:
    citation = Citation(
        id=CitationId("cit_1"),
        document_id=document_id,
        version=version_of(b""),
        key="a",
        title="a",
        quote=quote,
        verified="exact",
        source=Span(0, len(quote)),
    )
    return Answer(AnswerId("ans_1"), "?", "answered", "extractive", quote, citations=(citation,))


def test_the_bytes_of_a_deleted_document_are_gone_after_a_crash(
    open_shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = open_shelf()
    shared = shelf.put("kept", "the same words"), shelf.put("gone too", "the same words")
    gone = shelf.put("gone", "other words")
    monkeypatch.setattr(Forgetting, "forget", lambda *_: None)  # the process dies before
    for each in (gone, shared[1]):
        shelf.library.documents.delete(each.id)
    assert set(shelf.library._blobs.all()) == {gone.version, shared[0].version}
    monkeypatch.undo()
    shelf = open_shelf()

    assert set(shelf.library._blobs.all()) == {shared[0].version}
    assert shelf.library.checkup.run().flaws == ()
