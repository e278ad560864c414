"""Seven shapes of error bodies; what is told of them, and what never is."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.mistral.refusals import Refusal, refusal

SECRET = "the patient's name is Ada"

SHAPES: list[tuple[int, Any, str]] = [
    # the documented envelope
    (
        400,
        {"object": "error", "message": "bad", "type": "invalid_request_error", "code": "3000"},
        "HTTP 400, invalid_request_error, code 3000",
    ),
    # its code may be an integer, a word or null
    (
        400,
        {"message": "bad", "type": "bad_thing", "code": 3000},
        "HTTP 400, bad_thing, code 3000",
    ),
    (400, {"message": "bad", "type": "bad_thing", "code": None}, "HTTP 400, bad_thing"),
    # a validation error, with the offending value
    (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "inputs", 0],
                    "msg": "Extra inputs are not permitted",
                    "input": SECRET,
                }
            ]
        },
        "HTTP 422; at body.inputs.0: extra_forbidden",
    ),
    # the same, wrapped: `message` is an object
    (
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": SECRET}]},
            "type": "invalid_request_error",
            "code": None,
        },
        "HTTP 422, invalid_request_error; at body.model: missing",
    ),
    # from the agents' side: `message` is a list, and there is `detail` beside it
    (
        422,
        {
            "object": "Error",
            "message": [{"type": "missing", "loc": ["body", "a"]}],
            "detail": [{"type": "missing", "loc": ["body", "b"]}],
            "type": "invalid_request_error",
            "code": 3001,
        },
        "HTTP 422, invalid_request_error, code 3001; at body.b: missing; body.a: missing",
    ),
    # `detail` is a string
    (401, {"detail": "Unauthorized"}, "HTTP 401"),
    # a gateway's
    (429, {"message": "Requests rate limit exceeded", "request_id": "r1"}, "HTTP 429"),
    # a guardrail's
    (
        403,
        {"error": {"message": "Blocked by guardrail.", "status": 403}, "guardrails": {}},
        "HTTP 403; blocked by a guardrail",
    ),
    # none of them
    (502, None, "HTTP 502"),
    (502, [1, 2], "HTTP 502"),
]


@pytest.mark.parametrize(("status", "body", "told"), SHAPES)
def test_every_shape_is_told_in_one_line(status: int, body: Any, told: str) -> None:
    assert str(refusal(status, msgspec.json.encode(body))) == told


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b'{"cut', b"\xff\xfe"])
def test_a_body_that_is_no_json_is_told_by_its_status(body: bytes) -> None:
    assert str(refusal(502, body)) == "HTTP 502"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({"message": "Too many inputs in request, split into more batches."}, "too many inputs"),
        ({"message": "Too many tokens overall, split into more batches."}, "too many tokens"),
        ({"message": "Too many tokens in batch. Max is 16384 got 20000"}, "too many tokens"),
        ({"type": "document_parser_invalid_file", "message": "x"}, "an unreadable document"),
        ({"message": "x", "code": "3740"}, "an unreadable document"),
        ({"message": "Invalid model: mistral-embedd"}, "an unknown model"),
        ({"message": "Service tier capacity exceeded for this model."}, "over capacity"),
        ({"message": "Something else"}, None),
    ],
)
def test_a_known_cause_is_told_in_our_words(body: Any, cause: str | None) -> None:
    assert refusal(400, msgspec.json.encode(body)).cause == cause


def test_the_input_that_a_body_repeats_is_no_cause() -> None:
    errors = [{"type": "value_error", "loc": ["body"], "msg": "no", "input": "too many tokens"}]

    assert refusal(422, msgspec.json.encode({"detail": errors})).cause is None


@settings(deadline=None, max_examples=50)
@given(
    st.text(min_size=1), st.sampled_from(["message", "detail", "type", "code", "input", "error"])
)
def test_no_sentence_of_a_body_is_passed_on(text: str, place: str) -> None:
    sentence = f"Ada's key: {text}"

    told = str(refusal(422, msgspec.json.encode({place: sentence})))

    assert sentence not in told
    assert "Ada" not in told


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["detail", "message", "loc", "type", "error", "msg"]), inner
            )
        ),
    )
)
def test_no_body_is_too_strange_to_be_told(body: Any) -> None:
    assert str(refusal(400, msgspec.json.encode(body))).startswith("HTTP 400")


def test_a_body_that_is_nested_without_end_says_nothing() -> None:
    assert refusal(400, b'{"message": ' + b"[" * 60_000) == Refusal(400)
