"""Collections have good names, exist once, and go without a trace."""

from pathlib import Path

import pytest

from rag.domain import CollectionId, Source
from rag.errors import Conflict, InvalidRequest, NotFound


def create(library, name: str):
    return library.collections.create(name, embedding_model=None, dimension=None, chunk_tokens=256)


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a/b", "ä", "a" * 65, "a\n", "_a"])
def test_a_bad_name_is_refused_and_told_what_is_good(shelf, name: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 64 lower-case letters"):
        create(shelf.library, name)


def test_a_taken_name_is_refused(shelf) -> None:
    with pytest.raises(Conflict, match="already a collection 'notes'"):
        create(shelf.library, "notes")


def test_a_model_needs_its_dimension(shelf) -> None:
    with pytest.raises(InvalidRequest, match="or neither"):
        shelf.library.collections.create("x", embedding_model="m", dimension=None, chunk_tokens=1)


def test_a_collection_is_found_by_name_and_by_id(shelf) -> None:
    shelf.put("a", "one document")
    collections = shelf.library.collections
    [listed] = collections.list().data

    assert listed.documents == 1
    assert collections.find("notes") == collections.find(shelf.collection.id) == listed


def test_a_collection_is_known_until_something_is_written(shelf) -> None:
    collections = shelf.library.collections
    found = collections.find("notes")
    known = collections.known("notes")
    collections.set_dense_weight(found, 0.25)

    assert known == (None if shelf.library._database.is_shared else found)
    assert collections.known("notes") is None
    assert collections.find("notes").dense_weight == 0.25


def test_an_unknown_collection_is_answered_with_those_there_are(shelf) -> None:
    create(shelf.library, "other")

    with pytest.raises(NotFound, match="there are: notes, other"):
        shelf.library.collections.find("nots")


def test_collections_are_listed_by_name_page_by_page(shelf) -> None:
    for name in ("b", "a", "z"):
        create(shelf.library, name)
    page = shelf.library.collections.list(limit=3)
    rest = shelf.library.collections.list(limit=3, after=page.next)

    assert [c.name for c in (*page.data, *rest.data)] == ["a", "b", "notes", "z"]


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_limit_out_of_range_is_refused(shelf, limit: int) -> None:
    with pytest.raises(InvalidRequest, match="1 to 100"):
        shelf.library.collections.list(limit=limit)


def test_the_dense_weight_is_kept(shelf) -> None:
    shelf.library.collections.set_dense_weight(shelf.collection, 0.25)

    assert shelf.library.collections.find("notes").dense_weight == 0.25
    with pytest.raises(InvalidRequest, match="share"):
        shelf.library.collections.set_dense_weight(shelf.collection, 1.5)


def test_a_deleted_collection_is_gone_with_all_that_was_in_it(open_shelf, data_dir: Path) -> None:
    shelf = open_shelf()
    summary = shelf.put("a", "some words")
    shelf.hits("words")
    job = shelf.library.jobs.create(shelf.collection, [Source("b", b"waiting")])
    shelf.library.collections.delete(shelf.collection.id)

    for ask in (
        lambda: shelf.library.collections.find("notes"),
        lambda: shelf.library.documents.find(summary.id),
        lambda: shelf.library.jobs.find(job.id),
        lambda: shelf.hits("words"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert shelf.library.jobs.claim(lease=1) is None
    assert not [path for path in (data_dir / "blobs").rglob("*") if path.is_file()]
    assert not list((data_dir / "indexes").iterdir())


def test_a_collection_made_again_under_the_same_name_is_empty(open_shelf) -> None:
    shelf = open_shelf()
    shelf.put("a", "some words")
    shelf.hits("words")
    shelf.library.collections.delete(shelf.collection.id)
    shelf = open_shelf()

    assert shelf.hits("words") == []
    shelf.put("b", "new words")
    assert shelf.texts("words") == {"new words"}


def test_deleting_an_unknown_collection_is_not_found(shelf) -> None:
    with pytest.raises(NotFound):
        shelf.library.collections.delete(CollectionId("col_none"))


def test_documents_are_listed_by_key(shelf) -> None:
    for key in ("b", "c", "a"):
        shelf.put(key, f"text of {key}")
    page = shelf.library.documents.list(shelf.collection, limit=2)
    rest = shelf.library.documents.list(shelf.collection, limit=2, after=page.next)

    assert [one.key for one in (*page.data, *rest.data)] == ["a", "b", "c"]
    assert shelf.library.documents.versions_by_key(shelf.collection) == {
        one.key: one.version for one in (*page.data, *rest.data)
    }


def test_keys_are_listed_by_their_code_points(shelf) -> None:
    keys = [
        "a",
        "B",
        "é",
        "e\u0301",
        "Z",
        "z",
        "_",
        "a-b",
        "a b",
        "日本",
        "😀",
        "\uffff",
        "10",
        "9",
    ]
    for key in keys:
        shelf.put(key, "words")

    listed: list[str] = []
    after = None
    while True:
        page = shelf.library.documents.list(shelf.collection, limit=3, after=after)
        listed += [one.key for one in page.data]
        after = page.next
        if not page.has_more:
            break
    assert listed == sorted(keys)
