"""The endpoints that cost money: what they are asked, what they answer, and the bill for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from msgspec import Struct

from . import chat, embeddings, ocr
from .contract import Chat, Closed, Embeddings, Fim, Ocr
from .models import canonical
from .provider import Answered, Provider, Received
from .refusals import refused, validation_error
from .streams import chunks
from .tokens import tokens


class Paid(Struct, frozen=True):
    shape: type[Closed]
    answer: Callable[[Provider, Any], Answered]
    cost: Callable[[Any], int]
    """Tokens, as far as they are known before the answer."""


def _no_tokens(asked: Ocr) -> int:
    return 0


def _input_tokens(asked: Embeddings) -> int:
    return sum(map(tokens, [asked.input] if isinstance(asked.input, str) else asked.input))


PAID = {
    "/v1/ocr": Paid(Ocr, ocr.answer, _no_tokens),
    "/v1/embeddings": Paid(Embeddings, embeddings.answer, _input_tokens),
    "/v1/chat/completions": Paid(Chat, chat.answer, chat.prompt_tokens),
    "/v1/fim/completions": Paid(Fim, chat.complete, chat.prompt_tokens),
}


def asked_of(path: str, body: bytes) -> Any:
    """
    Raises:
        Refusal: the contract knows no such request.
    """
    try:
        return msgspec.json.decode(body, type=PAID[path].shape)
    except msgspec.ValidationError as error:
        raise validation_error(error, body.decode()) from error
    except msgspec.DecodeError as error:
        raise refused(400, "invalid_request_error", "Malformed JSON") from error


def billed(
    provider: Provider, path: str, asked: Any, noted: Received | None = None
) -> dict[str, Any]:
    """The body of the answer. What is not noted of one request belongs to a batch.

    Raises:
        Refusal: it will not be done.
    """
    answered = PAID[path].answer(provider, asked)
    _charge(provider, path, answered, noted)
    return answered.body


def streamed(provider: Provider, path: str, asked: Any, noted: Received) -> AsyncIterator[bytes]:
    """The pieces of a stream; what has not left when the caller leaves is not billed.

    Raises:
        Refusal: it will not be done; before the first piece.
    """
    return _pieces(provider, path, PAID[path].answer(provider, asked), noted)


async def _pieces(
    provider: Provider, path: str, answered: Answered, noted: Received
) -> AsyncIterator[bytes]:
    style = provider.stream_style
    pieces = list(style.pieces(chunks(answered.body, style)))
    sent = 0
    try:
        for piece in pieces:
            yield piece
            sent += 1
            if style.pause:
                await asyncio.sleep(style.pause)
    finally:
        written = -(-answered.units.written * sent // len(pieces))
        units = msgspec.structs.replace(answered.units, written=written)
        _charge(provider, path, Answered(answered.model, units, {}), noted)


def _charge(provider: Provider, path: str, answered: Answered, noted: Received | None) -> None:
    charge = provider.bill.add(path, answered.model, answered.units, in_batch=noted is None)
    if noted is not None:
        noted.charge = charge
        units = answered.units
        provider.gate.spend(canonical(answered.model), units.written, max(0, units.pages - 1))
