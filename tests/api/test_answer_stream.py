"""An answer told as it happens, and once more afterwards."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest

from rag.answering import Question
from rag.api import narration
from rag.api.narration import as_it_happens
from rag.domain import Draft, DraftClaim, Evidence, Quotation, Usage
from rag.errors import ProviderUnavailable
from rag.wiring import Services

Put = Callable[..., str]
Event = tuple[str | None, str, Any]

RULES = """# House rules

The upper floor carries 250 kg per square meter. Heavy machines stay on the ground floor.

A lost key costs 40 euros, because the lock is changed the same day.
"""


def events(text: str) -> Iterator[Event]:
    """Id, name and data of each."""
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" in fields:
            yield fields.get("id"), fields["event"], json.loads(fields["data"])


def asked(http: httpx.Client, collection: str, question: str) -> list[Event]:
    body = {"question": question, "collections": [collection], "stream": True}
    response = http.post("/v1/answers", json=body)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return list(events(response.text))


def test_an_answer_is_told_claim_by_claim_and_ends_as_it_would_have(
    http: httpx.Client, collection: str, put: Put
) -> None:
    put("rules.md", RULES)
    told = asked(http, collection, "How much does a lost key cost?")
    names = [name for _, name, _ in told]
    whole = told[-1][2]

    assert names[:2] == ["answer.created", "retrieval.completed"]
    assert names.index("citation.added") < names.index("answer.delta")
    assert names[-1] == "answer.completed"
    assert [id for id, _, _ in told] == [str(n) for n in range(1, len(told) + 1)]
    assert " ".join(d["text"] for _, name, d in told if name == "answer.delta") == whole["text"]
    assert [d for _, name, d in told if name == "citation.added"] == whole["citations"]
    assert http.get(f"/v1/answers/{whole['id']}").json() == whole


def test_a_refusal_is_told_too(http: httpx.Client, collection: str) -> None:
    told = asked(http, collection, "How much does a lost key cost?")

    assert [name for _, name, _ in told] == [
        "answer.created",
        "retrieval.completed",
        "answer.completed",
    ]
    assert told[-1][2]["outcome"] == "no_evidence"


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_who_was_cut_off_gets_the_rest(
    http: httpx.Client, collection: str, put: Put, seen: int
) -> None:
    put("rules.md", RULES)
    told = asked(http, collection, "How much does a lost key cost?")
    path = f"/v1/answers/{told[0][2]['id']}/events"
    again = http.get(path, headers={"Last-Event-ID": str(seen)})

    assert list(events(again.text)) == told[seen:]


def test_an_answer_that_never_was_has_no_events(http: httpx.Client) -> None:
    assert http.get("/v1/answers/ans_nowhere/events").status_code == 404


class Slow:
    """Writes one claim, and then the rest when it is let."""

    name = "slow"

    def __init__(self, error: Exception | None = None) -> None:
        self.may_end, self.hung_up = asyncio.Event(), asyncio.Event()
        self.error = error

    async def draft(self, question: str, evidence: Any) -> tuple[Draft, Usage]:
        raise AssertionError("it can write")

    async def write(
        self, question: str, evidence: tuple[Evidence, ...]
    ) -> AsyncGenerator[DraftClaim | tuple[Draft, Usage], None]:
        label = next(e.label for e in evidence if "lost key" in e.text)
        quotation = Quotation(label, "A lost key costs 40 euros")
        claim = DraftClaim("A lost key costs 40 euros.", (quotation,))
        try:
            yield claim
            await self.may_end.wait()
            if self.error:
                raise self.error
            yield Draft(True, (claim, DraftClaim("It is 99 euros.", (quotation,)))), Usage("slow")
        finally:
            self.hung_up.set()


async def until(name: str, stream: AsyncGenerator[Any, None]) -> list[Any]:
    """The events up to the first of that name."""
    told = []
    async for message in stream:
        told.append(message)
        if message.event == name:
            break
    return told


@pytest.fixture
def question(collection: str, put: Put, services: Services) -> Any:
    """With the collections that it is asked of."""
    put("rules.md", RULES)
    within = [services.library.collections.find(collection)]
    return Question("How much does a lost key cost?"), within


@pytest.mark.anyio
async def test_a_claim_is_told_before_the_next_is_written(
    question: Any, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(services, "answerer", slow)
    monkeypatch.setattr(narration, "SILENCE", 0.05)
    stream = as_it_happens(*question, services, lambda error: pytest.fail(str(error)))
    with anyio.fail_after(60):
        first = await until("answer.delta", stream)
        assert not slow.hung_up.is_set()
        waiting = await anext(stream)
        slow.may_end.set()
        rest = [message async for message in stream]

    assert json.loads(first[-1].data)["text"] == "A lost key costs 40 euros."
    assert waiting.comment, "a silence is filled"
    names = [message.event for message in rest if message.event]
    assert names == ["claim.flagged", "answer.completed"]
    assert "99" in json.loads(rest[-2].data)["reason"]


@pytest.mark.anyio
async def test_to_hang_up_ends_the_writing(
    question: Any, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(services, "answerer", slow)
    stream = as_it_happens(*question, services, lambda error: pytest.fail(str(error)))
    with anyio.fail_after(60):
        await until("answer.delta", stream)
        await stream.aclose()

    assert slow.hung_up.is_set()


def test_a_client_that_leaves_ends_the_writing(
    http: httpx.Client,
    collection: str,
    put: Put,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("rules.md", RULES)
    slow = Slow()
    monkeypatch.setattr(services, "answerer", slow)
    body = {"question": "What does a lost key cost?", "collections": [collection], "stream": True}
    with http.stream("POST", "/v1/answers", json=body) as response:
        for line in response.iter_lines():
            if line == "event: answer.delta":
                break
        assert not slow.hung_up.is_set()

    deadline = time.monotonic() + 60
    while not slow.hung_up.is_set():
        assert time.monotonic() < deadline, "it went on writing for nobody"
        time.sleep(0.02)


@pytest.mark.anyio
async def test_what_goes_wrong_is_the_last_event(
    question: Any, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(ProviderUnavailable("mistral", "had no answer"))
    slow.may_end.set()
    monkeypatch.setattr(services, "answerer", slow)
    stream = as_it_happens(*question, services, lambda error: {"detail": str(error)})
    with anyio.fail_after(60):
        told = [message async for message in stream]

    assert [message.event for message in told][-2:] == ["answer.delta", "error"]
    assert "no answer" in json.loads(told[-1].data)["detail"]
