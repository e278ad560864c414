"""What a question requires and excludes acts inside the search, on both legs."""

from rag.ranking.filters import Eq
from rag.storage.holders import Terms
from tests.storage.shelves import vectors_of


def keys(shelf, question: str, *, k: int = 10, filter=None, **terms: tuple[str, ...]) -> list[str]:
    found = shelf.library.chunks.search(
        shelf.collection, question, None, k=k, filter=filter, terms=Terms(**terms)
    )
    return sorted(hit.key for hit in found.hits)


def test_a_phrase_is_met_by_its_words_in_a_row_whatever_their_case(shelf) -> None:
    shelf.put("a", "a Lost, key costs money")
    shelf.put("b", "the key was lost")
    shelf.put("c", "lost keys")

    assert keys(shelf, "key", phrases=("lost key",)) == ["a"]


def test_a_selective_phrase_still_returns_k(shelf) -> None:
    for n in range(40):
        shelf.put(f"d{n}", "common words " + ("a rare pair" if n % 10 == 0 else "a pair is rare"))
    vector = shelf.hits("common words", k=3)
    found = keys(shelf, "common words", k=4, phrases=("rare pair",))

    assert vector
    assert found == ["d0", "d10", "d20", "d30"]


def test_a_word_is_excluded_in_all_its_forms_and_a_phrase_in_its_own(shelf) -> None:
    shelf.put("a", "whales eat krill")
    shelf.put("b", "a whale eats squid")
    shelf.put("c", "a seal eats squid")

    assert keys(shelf, "eats", excluded=("whale",)) == ["c"]
    assert keys(shelf, "eats", excluded=("whale eats",)) == ["a", "c"]


def test_a_title_counts(shelf) -> None:
    shelf.put("a", "chapter one", title="Moby Dick")
    shelf.put("b", "chapter one", title="Walden")

    assert keys(shelf, "chapter", phrases=("moby dick",)) == ["a"]
    assert keys(shelf, "chapter", excluded=("Moby",)) == ["b"]


def test_they_hold_within_a_filter(shelf) -> None:
    shelf.put("a", "lost key", year=2020)
    shelf.put("b", "lost key", year=2021)
    shelf.put("c", "lost coat", year=2021)

    assert keys(shelf, "lost", filter=Eq("year", 2021), phrases=("lost key",)) == ["b"]
    assert keys(shelf, "lost", filter=Eq("year", 2021), excluded=("key",)) == ["c"]


def test_a_phrase_that_nothing_holds_is_told_and_not_required(shelf) -> None:
    shelf.put("a", "the key was lost")
    found = shelf.library.chunks.search(
        shelf.collection, "key", None, k=3, terms=Terms(phrases=("lost key",))
    )

    assert [hit.key for hit in found.hits] == ["a"]
    assert found.unmet == ("lost key",)


def test_what_was_replaced_or_deleted_holds_nothing(shelf) -> None:
    shelf.put("a", "a lost key")
    gone = shelf.put("b", "a lost key")
    shelf.put("a", "a found key")
    shelf.library.documents.delete(gone.id)
    shelf.put("c", "a lost key")

    assert keys(shelf, "key", phrases=("lost key",)) == ["c"]


def test_both_legs_keep_to_it(shelf) -> None:
    shelf.put("a", "lost key\nlost coat")
    shelf.put("b", "lost coat")
    hits = shelf.hits("lost coat")

    assert len(hits) == 3
    for modes in ("dense", "words"):
        found = shelf.library.chunks.search(
            shelf.collection,
            "lost coat",
            vectors_of(["lost coat"]),
            k=5,
            modes=frozenset({modes}),
            terms=Terms(phrases=("lost key",)),
        )
        assert [hit.text for hit in found.hits] == ["lost key"]


def test_rows_on_disk_and_in_memory_are_told_alike(shelf) -> None:
    shelf.put("a", "a lost key")
    shelf.put("b", "a lost coat")
    indexes = shelf.library._indexes.of(shelf.collection.index)
    indexes.words.index.absorb()
    shelf.put("c", "another lost key")

    assert keys(shelf, "lost", phrases=("lost key",)) == ["a", "c"]
    assert keys(shelf, "lost", excluded=("key",)) == ["b"]


def test_a_phrase_is_found_where_no_spaces_are_written(shelf) -> None:
    shelf.put("a", "東京都の人口は多い")
    shelf.put("b", "京都の人口は少ない")

    assert keys(shelf, "人口", phrases=("東京都",)) == ["a"]
    assert keys(shelf, "人口", excluded=("東京都",)) == ["b"]


def test_accents_may_be_written_in_two_ways(shelf) -> None:
    shelf.put("a", "la clé perdue")
    shelf.put("b", "la clef perdue")

    assert keys(shelf, "perdue", phrases=("cle\u0301 perdue",)) == ["a"]


def test_the_last_word_may_be_left_open(shelf) -> None:
    shelf.put("a", "lost keyrings")
    shelf.put("b", "lost coats")

    assert keys(shelf, "lost", phrases=("lost key*",)) == ["a"]
