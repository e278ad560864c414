"""An answer as a stream of events, while it is made and afterwards.

The number of each event follows from the answer alone, so whoever was cut off asks for the rest
with the last number he saw, at any server and after a restart, once the answer is complete. Who
hangs up before gives the question up: nothing is spent for nobody.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from litestar.response import ServerSentEvent, ServerSentEventMessage

from rag.answering import (
    Completed,
    Created,
    Event,
    Flagged,
    Question,
    Retrieved,
    Said,
    events_of,
)
from rag.api.linking import linked, linked_answer
from rag.api.problems import Problem
from rag.domain import Answer, Citation, Looked
from rag.errors import RagError
from rag.gathering import Within
from rag.wiring import Services

NAMES: dict[type, str] = {
    Created: "answer.created",
    Looked: "retrieval.looked",
    Retrieved: "retrieval.completed",
    Citation: "citation.added",
    Said: "answer.delta",
    Flagged: "claim.flagged",
    Completed: "answer.completed",
}

Told = Callable[[RagError], Problem]

SILENCE = 15.0
"""Seconds without an event after which a comment says that somebody is there; proxies hang up
after 30 to 60."""


class EventStream(ServerSentEvent):
    """Of a route that gives JSON as well: the framework lets the route's media type prevail."""

    def to_asgi_response(self, *args: Any, **given: Any) -> Any:
        return super().to_asgi_response(*args, **{**given, "media_type": self.media_type})


async def as_it_happens(
    question: Question, within: Within, services: Services, problem: Told
) -> AsyncGenerator[ServerSentEventMessage, None]:
    """Ends with the answer, or with what went wrong.

    Args:
        problem: how an error is told.
    """
    heard: asyncio.Queue[Event | None] = asyncio.Queue()
    making = asyncio.create_task(_make(question, within, services, heard))
    number = 0
    try:
        while True:
            try:
                event = await asyncio.wait_for(heard.get(), SILENCE)
            except TimeoutError:
                yield ServerSentEventMessage(comment="still at it")
                continue
            if event is None:
                break
            number += 1
            yield _message(number, event)
        await making
    except RagError as error:
        data = msgspec.json.encode(problem(error)).decode()
        yield ServerSentEventMessage(event="error", data=data)
    finally:
        making.cancel()
        with suppress(asyncio.CancelledError, RagError):
            await making


async def afterwards(answer: Answer, seen: int) -> AsyncIterator[ServerSentEventMessage]:
    """What came after the event with that number."""
    for message in _messages(events_of(answer), seen):
        yield message


def number_of(id: str | None) -> int:
    """Of the last event that was seen; 0 where it is none of ours."""
    return int(id) if id and id.isascii() and id.isdigit() and len(id) < 10 else 0


async def _make(
    question: Question,
    within: Within,
    services: Services,
    heard: "asyncio.Queue[Event | None]",
) -> None:
    """In a task of its own from beginning to end, for what is spent is booked to the task."""
    try:
        async for event in services.answering(question, within):
            heard.put_nowait(event)
    finally:
        heard.put_nowait(None)


def _messages(events: Iterable[Event], seen: int) -> Iterator[ServerSentEventMessage]:
    for number, event in enumerate(events, start=1):
        if number > seen:
            yield _message(number, event)


def _message(number: int, event: Event) -> ServerSentEventMessage:
    told: object = event
    if isinstance(event, Citation):
        told = linked(event)
    elif isinstance(event, Completed):
        told = linked_answer(event.answer)
    elif isinstance(event, Flagged):
        told = event.dropped
    data = msgspec.json.encode(told).decode()
    return ServerSentEventMessage(event=NAMES[type(event)], data=data, id=str(number))
