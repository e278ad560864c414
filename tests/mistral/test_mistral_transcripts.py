"""What a model said is the same whole and in pieces, whichever way the provider writes it."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import MalformedReply, ProviderUnavailable
from rag.mistral.chat.transcripts import CalledTool, Completion, Transcript, completion_of
from rag.spending import Units

MODEL = "mistral-large-2512"
USAGE = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}


def whole(message: dict[str, Any] | None, **more: Any) -> Completion:
    choice = {"index": 0, "finish_reason": "stop", "message": message, **more}
    return completion_of(msgspec.json.encode({"choices": [choice], "usage": USAGE}), MODEL)


def chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return msgspec.json.encode({"id": "c1", "choices": [choice], **more})


def heard(*data: bytes) -> Transcript:
    transcript = Transcript(MODEL)
    for each in data:
        transcript.hear(each)
    return transcript


# --- whole --------------------------------------------------------------------------------------

THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Yes.", "Yes."),
        ("", ""),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "Yes."}], "Yes."),
        ([{"text": "Yes."}], "Yes."),  # a chunk is a text where it does not say
        ([THINKING, {"type": "text", "text": "Y"}, {"type": "text", "text": "es."}], "Yes."),
        ([{"type": "thinking", "thinking": [], "text": "hm"}], ""),
        ([{"type": "of tomorrow", "text": "hm"}, {"type": "text", "text": "Yes."}], "Yes."),
        ([{"type": "text", "text": None}], ""),
    ],
)
def test_content_is_a_text_or_parts_of_one(content: Any, text: str) -> None:
    assert whole({"role": "assistant", "content": content}).text == text
    assert heard(chunk({"content": content})).text == text


def test_references_are_collected() -> None:
    content = [
        {"type": "text", "text": "Yes"},
        {"type": "reference", "reference_ids": [0, "b"]},
        {"type": "text", "text": "."},
        {"type": "reference", "reference_ids": [2]},
    ]

    assert whole({"content": content}).references == (0, "b", 2)
    assert whole({"content": content}).text == "Yes."


def test_one_completion_may_have_several_messages() -> None:
    said = whole(None, messages=[{"content": "Yes"}, {"content": "."}])

    assert said.text == "Yes."


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "length", "model_length", "of tomorrow"])
def test_every_reason_to_end_is_told(reason: str) -> None:
    said = whole({"content": "Yes."}, finish_reason=reason)

    assert said.finish_reason == reason
    assert said.is_cut_off is (reason in ("length", "model_length"))
    assert said.is_finished is (reason in ("stop", "tool_calls"))


def test_a_completion_that_failed_is_none() -> None:
    with pytest.raises(MalformedReply, match="failed"):
        whole({"content": "Yes"}, finish_reason="error")
    with pytest.raises(MalformedReply, match="no completion"):
        completion_of(b'{"choices": []}', MODEL)


@pytest.mark.parametrize(
    ("usage", "units"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 2}, Units(100, 2)),
        (
            {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 64}},
            Units(100, 0, 64),
        ),
        (
            {"prompt_tokens": 100, "prompt_token_details": {"cached_tokens": 64}},
            Units(100, 0, 64),
        ),
        ({"prompt_tokens": 100, "num_cached_tokens": 64}, Units(100, 0, 64)),
        ({"prompt_tokens": 9, "completion_tokens": None, "prompt_audio_seconds": {}}, Units(9)),
        (None, None),
    ],
)
def test_tokens_are_counted_as_the_provider_counts(usage: Any, units: Units | None) -> None:
    body = msgspec.json.encode({"choices": [{"message": {"content": "a"}}], "usage": usage})

    assert completion_of(body, MODEL).units == units


# --- in pieces ----------------------------------------------------------------------------------


def test_a_stream_says_what_the_whole_says() -> None:
    transcript = heard(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Y"}),
        chunk({"content": [{"type": "text", "text": "es"}]}),
        chunk({"content": "."}, "stop", usage=USAGE, model=MODEL),
        b"[DONE]",
    )

    assert transcript.completion() == whole({"content": "Yes."})


def test_usage_may_come_by_itself_and_choices_may_be_missing() -> None:
    transcript = heard(chunk({"content": "Yes."}, "stop"), b'{"usage": {"prompt_tokens": 5}}')

    assert transcript.units == Units(5)


@pytest.mark.parametrize(
    "data",
    [
        (chunk({"content": "Yes."}), b"[DONE]"),  # no reason to end
        (chunk({"content": "Yes."}, "stop"),),  # no end
        (b"[DONE]",),
        (),
        (chunk({"content": "Yes."}, "error"), b"[DONE]"),
    ],
)
def test_a_stream_without_its_end_has_failed(data: tuple[bytes, ...]) -> None:
    with pytest.raises(ProviderUnavailable, match="in the middle"):
        heard(*data).completion()


@pytest.mark.parametrize(
    "data",
    [
        b'{"object": "error", "message": "secret", "type": "internal", "code": 500}',
        b'{"object": "Error", "message": [{}], "detail": [{}]}',
        b'{"detail": "secret"}',
        b'{"error": {"message": "secret", "status": 403}}',
    ],
)
def test_an_error_within_a_stream_is_an_error_and_repeats_nothing(data: bytes) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        heard(chunk({"content": "Y"}), data)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"choices": {}}', b"<html>", b"\xff"])
def test_an_event_that_was_not_agreed_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedReply):
        heard(data)


# --- tools --------------------------------------------------------------------------------------


def call(name: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


def test_arguments_are_a_text_or_an_object() -> None:
    calls = [
        call("look", '{"q": 1}', id="a1", type="function", index=0),
        call("look", {"q": 2}, id="b2", index=1),
    ]

    said = whole({"content": None, "tool_calls": calls}, finish_reason="tool_calls")

    assert said.tools == (
        CalledTool("a1", "look", '{"q": 1}'),
        CalledTool("b2", "look", '{"q":2}'),
    )


@pytest.mark.parametrize(
    "deltas",
    [
        # whole, one after the other
        [[call("f", "{1}", id="a", index=0)], [call("g", "{2}", id="b", index=1)]],
        # whole, together, with the number that is the default
        [[call("f", "{1}", id="a", index=0), call("g", "{2}", id="b", index=0)]],
        # without numbers
        [[call("f", "{1}", id="a")], [call("g", "{2}", id="b")]],
        # in pieces, by number, mixed
        [
            [call("f", "{", id="a", index=0)],
            [call("g", "{", id="b", index=1)],
            [call("", "1", id="null", index=0), call("", "2", id="null", index=1)],
            [call("", "}", index=0)],
            [call("", "}", index=1)],
        ],
        # in pieces, by id alone
        [
            [call("f", "", id="a")],
            [call("", "{1", id="a")],
            [call("g", "{2", id="b")],
            [call("", "}", id="a"), call("", "}", id="b")],
        ],
        # in pieces, with neither: they go on with the last
        [[call("f", "{", id="a")], [call("", "1}")], [call("g", "{", id="b")], [call("", "2}")]],
    ],
)
def test_tools_are_put_together_however_they_come(deltas: list[list[dict[str, Any]]]) -> None:
    said = [chunk({"tool_calls": each}) for each in deltas]

    completion = heard(*said, chunk({}, "tool_calls"), b"[DONE]").completion()

    assert completion.tools == (CalledTool("a", "f", "{1}"), CalledTool("b", "g", "{2}"))


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1), st.lists(st.integers(0, 30), max_size=5))
def test_arguments_are_the_same_wherever_they_were_cut(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[a:b] for a, b in pairwise(places)]
    first, *more = parts
    deltas = [call("f", first, id="a", index=0), *(call("", part, index=0) for part in more)]

    transcript = heard(*(chunk({"tool_calls": [each]}) for each in deltas))
    transcript.hear(chunk({}, "tool_calls"))
    transcript.hear(b"[DONE]")

    assert transcript.completion().tools == (CalledTool("a", "f", text),)
