"""Filters act inside the search, no text breaks a query, and no search sees half a change."""

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import InvalidRequest
from rag.ranking.filters import And, Contains, Eq, Filter, Gte, Lt, Ne, Not, Prefix, matches


def test_a_selective_filter_still_returns_k(shelf) -> None:
    for i in range(60):
        shelf.put(f"d{i}", f"common words number {i}", group="rare" if i % 20 == 0 else "usual")

    for modes in ("dense", "words", "dense words"):
        hits = shelf.hits("common words", k=3, filter=Eq("group", "rare"), modes=modes)
        assert {hit.key for hit in hits} == {"d0", "d20", "d40"}


@pytest.mark.parametrize(
    "filter",
    [
        Eq("group", 1),
        Ne("group", 1),
        Not(Eq("group", 1)),
        And((Gte("number", 5), Lt("number", 9))),
        Prefix("key", "d1"),
        Eq("title", "d7"),
        Eq("media_type", "text/plain"),
        Contains("tags", "even"),
        Eq("missing", None),
        Eq("group", "no such"),
    ],
)
def test_both_legs_return_exactly_what_the_filter_lets_through(shelf, filter: Filter) -> None:
    documents = {}
    for i in range(12):
        attributes = {"number": i, "group": i % 3, "tags": ("even",) if i % 2 == 0 else ()}
        shelf.put(f"d{i}", "common words", **attributes)
        built_in = {"key": f"d{i}", "title": f"d{i}", "media_type": "text/plain"}
        documents[f"d{i}"] = attributes | built_in
    expected = {key for key, attributes in documents.items() if matches(filter, attributes)}

    for modes in ("dense", "words"):
        hits = shelf.hits("common words", k=12, filter=filter, modes=modes)
        assert {hit.key for hit in hits} == expected


def test_a_filter_sees_changed_attributes(shelf) -> None:
    shelf.put("a", "words", year=2020)
    assert shelf.texts("words", filter=Eq("year", 2020)) == {"words"}
    shelf.put("a", "words", year=2021)

    assert not shelf.hits("words", filter=Eq("year", 2020))
    assert shelf.texts("words", filter=Eq("year", 2021)) == {"words"}


def test_one_collection_never_answers_for_another(shelf, wordy_shelf) -> None:
    shelf.put("a", "shared words")
    wordy_shelf.put("a", "shared words too")

    assert shelf.texts("shared words too") == {"shared words"}
    assert wordy_shelf.texts("shared words") == {"shared words too"}


def test_the_cosine_is_known_for_every_candidate(shelf) -> None:
    for i in range(30):
        shelf.put(f"d{i}", f"topic {i} filler{i}")
    shelf.put("x", "needle among quite a few other different words here")
    found = shelf.library.chunks.search(shelf.collection, "needle", vector_towards(), k=2)
    candidates = found.candidates

    assert all(candidate.dense is not None for candidate in candidates)
    [needle] = [c for c, hit in zip(candidates, found.hits, strict=True) if hit.key == "x"]
    assert (needle.words_rank, needle.dense_rank) == (1, None)
    assert sorted(c.dense_rank for c in candidates if c.dense_rank) == [1, 2]


def vector_towards() -> np.ndarray:
    return np.eye(1, 32, k=3, dtype=np.float32)


def test_a_leg_that_is_not_asked_says_nothing(shelf) -> None:
    shelf.put("a", "some words")
    vector = np.eye(1, 32, dtype=np.float32)
    words_only = shelf.library.chunks.search(
        shelf.collection, "words", vector, k=1, modes=frozenset({"words"})
    )
    dense_only = shelf.library.chunks.search(
        shelf.collection, "words", vector[0], k=1, modes=frozenset({"dense"})
    )

    assert [(c.dense, c.words_rank) for c in words_only.candidates] == [(None, 1)]
    assert [(c.words, c.dense_rank) for c in dense_only.candidates] == [(None, 1)]


def test_a_vector_of_another_width_is_refused(shelf) -> None:
    with pytest.raises(InvalidRequest, match="64 numbers, and the collection's 32"):
        shelf.library.chunks.search(shelf.collection, "x", np.eye(1, 64, dtype=np.float32), k=1)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text() | st.text("\"'()[]{}*:+-^~\\/&|! AND OR NOT NEAR TO", min_size=1))
def test_no_question_makes_a_search_fail(shelf, question: str) -> None:
    shelf.hits(question, modes="words")


def test_stems_accents_and_case_do_not_matter_to_words(shelf) -> None:
    shelf.put("a", "Les Élèves were running in Straßen")

    for question in ("eleves", "RUNS", "strassen"):
        assert shelf.hits(question, modes="words"), question


def test_a_document_being_replaced_is_always_found_once(shelf) -> None:
    shelf.put("fixed", "other words")
    shelf.put("changing", "steady words version 0")
    problems: list[object] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            texts = [hit.text for hit in shelf.hits("steady words") if hit.key == "changing"]
            if len(texts) != 1:
                problems.append(texts)

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for i in range(1, 15):
        shelf.put("changing", f"steady words version {i}")
        texts = shelf.texts("steady words")
        if texts != {"other words", f"steady words version {i}"}:
            problems.append(texts)
    done.set()
    for watcher in watchers:
        watcher.join()

    assert not problems


def test_a_sample_is_the_same_for_the_same_seed(shelf) -> None:
    for i in range(20):
        shelf.put(f"d{i}", f"words {i}")
    sample = shelf.library.chunks.sample(shelf.collection, 5, 1)

    assert len(sample) == 5
    assert sample == shelf.library.chunks.sample(shelf.collection, 5, 1)
    assert sample != shelf.library.chunks.sample(shelf.collection, 5, 2)
    assert len(shelf.library.chunks.sample(shelf.collection, 100, 1)) == 20
    for _, title, chunk in sample:
        assert chunk.text == f"words {title[1:]}"


def test_a_title_counts_for_more_than_the_body(shelf) -> None:
    shelf.put("body", "the kiln was repaired with a chimney of brick", title="Notes")
    shelf.put("title", "the oven was repaired with a flue of brick", title="Kiln")

    assert [hit.key for hit in shelf.hits("kiln", modes="words")] == ["title", "body"]
