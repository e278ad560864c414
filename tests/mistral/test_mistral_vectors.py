"""A reply is believed whole, or not at all."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import MalformedReply
from rag.mistral.embedding.profiles import profile
from rag.mistral.embedding.vectors import embedding_request, read_embeddings, units_of_unusable
from rag.spending import Units

MISTRAL = profile("mistral-embed")
TEXTS = ["one", "two", "three"]


def rows(n: int, width: int) -> list[list[float]]:
    random = np.random.default_rng(7)
    vectors = random.normal(size=(n, width))
    unit: list[list[float]] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).tolist()
    return unit


def reply(vectors: Sequence[Sequence[float]], **more: Any) -> dict[str, Any]:
    data = [{"index": n, "embedding": list(row)} for n, row in enumerate(vectors)]
    usage = {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12}
    return {"object": "list", "model": "mistral-embed", "data": data, "usage": usage, **more}


def body(value: Any) -> bytes:
    return msgspec.json.encode(value)


SOUND = reply(rows(3, 1024))


def test_vectors_are_in_the_order_of_their_texts_and_counted() -> None:
    shuffled = {**SOUND, "data": [SOUND["data"][n] for n in (2, 0, 1)]}

    read = read_embeddings(body(shuffled), TEXTS, MISTRAL)

    assert read.vectors.dtype == np.float32
    assert read.vectors == pytest.approx(np.array(rows(3, 1024)), abs=1e-6)
    assert read.units == Units(12)


def test_a_reply_need_not_tell_indexes_model_or_usage() -> None:
    bare = {"data": [{"embedding": row} for row in rows(3, 1024)]}

    read = read_embeddings(body(bare), TEXTS, MISTRAL)

    assert read.vectors == pytest.approx(np.array(rows(3, 1024)), abs=1e-6)
    assert read.units is None


def items(change: Callable[[list[dict[str, Any]]], Any]) -> dict[str, Any]:
    return {**SOUND, "data": change([dict(item) for item in SOUND["data"]])}


def second(**change: Any) -> dict[str, Any]:
    return items(lambda data: [data[0], {**data[1], **change}, data[2]])


@pytest.mark.parametrize(
    ("unsound", "told"),
    [
        (items(lambda data: data[:2]), "sent 2 vectors for 3 texts"),
        (items(lambda data: data * 2), "sent 6 vectors for 3 texts"),
        (items(lambda data: []), "sent 0 vectors for 3 texts"),
        (second(index=0), "belong to no text"),
        (second(index=7), "belong to no text"),
        (second(index=None), "belong to no text"),
        (second(index=-1), "belong to no text"),
        (second(embedding=rows(1, 256)[0]), "not 1024 wide"),
        (second(embedding=[]), "not 1024 wide"),
        (second(embedding=[0.0] * 1024), "without a direction"),
        (second(embedding=[1e300] * 1024), "without a direction"),
        (second(embedding=[0.1] * 1024), "length is not 1"),
        (second(embedding=[None] * 1024), "another shape"),
        (second(embedding=None), "another shape"),
        (second(embedding="AAAA"), "another shape"),  # base64, unasked
        (second(embedding=SOUND["data"][0]["embedding"]), "same vector for different texts"),
        ({**SOUND, "model": "other-embed"}, "another model"),
        ({**SOUND, "model": "mistral-embed-dim256-2510"}, "another model"),
        ({**SOUND, "data": None}, "another shape"),
        ([], "another shape"),
    ],
)
def test_what_is_not_one_sound_vector_for_each_text_is_not_believed(
    unsound: Any, told: str
) -> None:
    with pytest.raises(MalformedReply, match=told):
        read_embeddings(body(unsound), TEXTS, MISTRAL)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "nan", "null", '"1"'])
def test_what_is_no_number_is_not_believed(word: str) -> None:
    number = str(SOUND["data"][1]["embedding"][5]).encode()
    assert number in body(SOUND)

    with pytest.raises(MalformedReply):
        read_embeddings(body(SOUND).replace(number, word.encode()), TEXTS, MISTRAL)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 200), st.binary(max_size=3))
def test_a_reply_cut_off_or_followed_by_more_is_not_believed(cut: int, more: bytes) -> None:
    whole = body(reply([[0.6, 0.8]]))
    two = profile("codestral-embed@2")
    changed = whole[: min(cut, len(whole) - 1)] + more

    with pytest.raises(MalformedReply):
        read_embeddings(changed, ["one"], two)
    assert units_of_unusable(changed) is None


def test_one_vector_may_stand_for_texts_of_the_same_words() -> None:
    twice = reply([rows(1, 1024)[0]] * 3)

    read = read_embeddings(body(twice), ["One word.", "one  word", "WORD, ONE\n"], MISTRAL)

    assert read.vectors.shape == (3, 1024)


def test_the_bill_of_a_reply_that_cannot_be_used_is_still_read() -> None:
    assert units_of_unusable(body(items(lambda data: data[:2]))) == Units(12)
    assert units_of_unusable(body({"data": []})) is None
    assert units_of_unusable(b"<html>") is None


# --- narrower, and in other codes ---------------------------------------------------------------


def test_only_what_is_not_usual_is_asked_for() -> None:
    asked = msgspec.to_builtins(embedding_request(["a"], "passage", profile("codestral-embed")))
    narrow = msgspec.to_builtins(
        embedding_request(["a"], "passage", profile("codestral-embed@8/int8"))
    )

    assert asked == {"model": "codestral-embed", "input": ("a",), "encoding_format": "float"}
    assert narrow == {**asked, "output_dimension": 8, "output_dtype": "int8"}


def coded(name: str, *vectors: Sequence[float]) -> np.ndarray[Any, Any]:
    answer = reply(vectors, model="codestral-embed")
    texts = [f"text {n}" for n in range(len(vectors))]
    return read_embeddings(body(answer), texts, profile(name)).vectors


def test_a_part_of_a_vector_is_made_a_direction_again() -> None:
    assert coded("codestral-embed@2", [0.3, 0.4]) == pytest.approx(np.array([[0.6, 0.8]]))


def test_small_integers_become_the_direction_they_are_a_rounding_of() -> None:
    exact = np.array(rows(1, 1536)[0])

    [vector] = coded("codestral-embed/int8", np.rint(127 * exact).tolist())

    assert vector @ exact > 0.99
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert coded("codestral-embed@2/int8", [127, -127])[0] == pytest.approx([0.5**0.5, -(0.5**0.5)])


@pytest.mark.parametrize("number", [128, -129, 0.5, 1e300])
def test_what_is_no_small_integer_is_not_believed(number: float) -> None:
    with pytest.raises(MalformedReply, match="no small integers"):
        coded("codestral-embed@2/int8", [1, number])


def test_signs_are_read_from_the_highest_bit_down() -> None:
    # 0b10100000 is 160, less 128; then 0b01000000 is 64, of which one bit counts.
    [vector] = coded("codestral-embed@9/binary", [160 - 128, 64 - 128])

    assert (vector * 3).round() == pytest.approx([1, -1, 1, -1, -1, -1, -1, -1, -1])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.booleans(), min_size=1, max_size=100))
def test_every_sign_comes_back(signs: list[bool]) -> None:
    packed = np.packbits(np.array(signs)).astype(int) - 128

    [vector] = coded(f"codestral-embed@{len(signs)}/binary", packed.tolist())

    assert [bool(number > 0) for number in vector] == signs


def test_a_width_that_was_not_asked_for_is_not_believed() -> None:
    with pytest.raises(MalformedReply, match="not 9 wide"):
        coded("codestral-embed@9/binary", [1])
    with pytest.raises(MalformedReply, match="not 2 wide"):
        coded("codestral-embed@2", rows(1, 1536)[0])
