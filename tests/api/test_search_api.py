"""What a request may ask of a search besides its words, over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Put = Callable[..., str]
Ask = Callable[..., dict[str, Any]]

KEYS = "# Keys\n\nA lost key costs 40 euros, because the lock is changed the same day.\n"
COATS = "# Coats\n\nA coat that was lost is kept for a year; the key to the room is at the desk.\n"


@pytest.fixture
def search(http: httpx.Client, collection: str) -> Ask:
    def ask(query: str, to: str = "", **options: object) -> dict[str, Any]:
        address = f"/v1/collections/{collection}/search{to}"
        response = http.post(address, json={"query": query, **options})
        assert response.status_code == 200, response.text
        return dict(response.json())

    return ask


def keys(result: dict[str, Any]) -> list[str]:
    return [hit["key"] for hit in result["data"]]


def test_quoted_words_are_required_and_excluded_ones_left_out(search: Ask, put: Put) -> None:
    put("keys.md", KEYS)
    put("coats.md", COATS)

    assert keys(search('price of a "lost key"')) == ["keys.md"]
    assert keys(search("what was lost -euros")) == ["coats.md"]
    assert set(keys(search("what was lost -euros", literal=True))) == {"keys.md", "coats.md"}


def test_a_phrase_that_nobody_wrote_is_told_and_not_required(search: Ask, put: Put) -> None:
    put("keys.md", KEYS)
    result = search('price of a "golden key"')

    assert keys(result) == ["keys.md"]
    assert '"golden key"' in result["notes"][0]


def test_explain_names_each_stage_and_its_time(search: Ask, put: Put) -> None:
    put("keys.md", KEYS, attributes={"year": 2020})
    put("coats.md", COATS, attributes={"year": 2026})
    boost = {"type": "match", "filter": {"type": "eq", "key": "year", "value": 2026}, "weight": 1}
    explained = search("lost key", explain=True, boosts=[boost])["explain"]

    assert {"question", "embed", "search", "fold"} <= explained["milliseconds"].keys()
    first = explained["hits"][0]
    assert (first["rank"], first["boosted"]["rank"], first["fused"]["rank"]) == (1, 1, 2)
    assert first["boosted"]["score"] == pytest.approx(first["fused"]["score"] + 1)
    assert first["dense"]["rank"] in (1, 2)
    assert explained["asked"] == ["question: lost key"]


def test_hits_of_one_document_can_be_limited(search: Ask, put: Put) -> None:
    sections = [f"## Part {n}\n\nThe lost key number {n} is kept in drawer {n}." for n in range(40)]
    put("long.md", "\n\n".join(f"{section} {'It is a long story. ' * 60}" for section in sections))
    put("coats.md", COATS)

    assert keys(search("lost key", k=3)).count("long.md") > 1
    assert sorted(keys(search("lost key", k=3, per_document=1))) == ["coats.md", "long.md"]


def test_passages_are_spans_with_their_blocks(search: Ask, put: Put, http: httpx.Client) -> None:
    document = put("keys.md", f"{KEYS}\n\n# Doors\n\nDoors are locked at ten.\n")
    result = search("lost key", k=1, passages={"max_tokens": 400})
    text = http.get(f"/v1/documents/{document}/text").json()["text"]
    [passage] = result["passages"]

    assert passage["text"] == text[passage["start"] : passage["end"]]
    assert result["data"][0]["chunk_id"] in passage["hits"]
    assert passage["tokens"] <= 400
    assert all(b["start"] < passage["end"] and b["end"] > passage["start"]
               for b in passage["blocks"])  # fmt: skip
    assert passage["blocks"]


def test_many_are_answered_in_their_order_like_one(search: Ask, put: Put, http: Any,
                                                   collection: str) -> None:  # fmt: skip
    put("keys.md", KEYS)
    put("coats.md", COATS)
    asked = [{"query": "key price"}, {"query": "coats", "k": 1}, {"query": "desk", "mode": "words"}]
    address = f"/v1/collections/{collection}/search/many"
    together = http.post(address, json={"queries": asked}).json()
    alone = [search(**each) for each in asked]

    assert [keys(each) for each in together] == [keys(each) for each in alone]
    assert [each["mode"] for each in together] == ["hybrid", "hybrid", "words"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"rerank": True}, "'rerank' needs a chat model"),
        ({"expand": ["variants"]}, "needs a chat model"),
        ({"history": [{"role": "user", "content": "a"}]}, "needs a chat model"),
        ({"expand": ["wishes"]}, "/expand/0"),
        ({"boosts": [{"type": "recency", "key": "date", "weight": 2}]}, "/boosts/0/weight"),
        ({"boosts": [{"type": "fame"}]}, "/boosts/0"),
        ({"passages": {"max_tokens": 10}}, "/passages/max_tokens"),
        ({"per_document": 0}, "/per_document"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    http: httpx.Client, body: dict[str, object], says: str
) -> None:
    response = http.post("/v1/collections/default/search", json={"query": "a", **body})

    assert response.status_code == 422
    assert says in response.json()["detail"]


# --- misses -------------------------------------------------------------------------------------


def test_what_is_found_is_said_to_be_found(search: Ask, put: Put) -> None:
    put("keys.md", KEYS)
    told = search("lost key", "/why", document="keys.md")

    assert (told["found"], told["rank"], told["lost"]) == (True, 1, None)
    assert told["dense"]["rank"] == told["words"]["rank"] == 1


def test_what_was_never_handed_in_is_not_indexed(search: Ask) -> None:
    told = search("lost key", "/why", document="nowhere.md")

    assert told["lost"] == "not_indexed"
    assert "nothing of this name was ever handed in" in told["reason"]


def test_a_filter_is_blamed_by_its_condition(search: Ask, put: Put) -> None:
    put("keys.md", KEYS, attributes={"year": 2020})
    filter = {
        "type": "and",
        "filters": [
            {"type": "eq", "key": "key", "value": "keys.md"},
            {"type": "gt", "key": "year", "value": 2021},
        ],
    }
    told = search("lost key", "/why", document="keys.md", filter=filter)

    assert told["lost"] == "filtered"
    assert "'year' is 2020" in told["reason"]
    assert "'key'" not in told["reason"]


def test_quotation_marks_and_exclusions_are_blamed(search: Ask, put: Put) -> None:
    put("keys.md", KEYS)
    put("coats.md", COATS)

    quoted = search('a "lost key"', "/why", document="coats.md")
    excluded = search("lost -euros", "/why", document="keys.md")
    assert (quoted["lost"], excluded["lost"]) == ("not_quoted", "excluded")
    assert '"lost key"' in quoted["reason"]


def test_what_ranks_too_low_is_told_how_low(search: Ask, put: Put) -> None:
    put("keys.md", KEYS)
    put("coats.md", COATS)
    first, second = keys(search("price of a lost key"))
    told = search("price of a lost key", "/why", document=second, k=1)

    assert first != second
    assert (told["lost"], told["rank"]) == ("cut", 2)
    assert "k of 2 or more" in told["advice"]


def test_a_copy_is_folded_into_the_other(search: Ask, put: Put) -> None:
    put("one.md", KEYS)
    put("two.md", KEYS)
    [shown] = search("lost key")["data"]
    [hidden] = [each["key"] for each in shown["also"]]
    told = search("lost key", "/why", document=hidden)

    assert told["lost"] == "folded"
    assert told["folded_into"]["key"] == shown["key"]


def test_what_no_leg_returned_is_beyond_the_candidates(search: Ask, put: Put) -> None:
    put("keys.md", KEYS)
    put("far.md", "Nothing at all of that kind.")
    told = search("lost key", "/why", document="far.md", mode="words")

    assert told["lost"] == "candidates"
    assert "none of the question's words" in told["reason"]
