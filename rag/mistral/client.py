"""The one door to the provider: a pooled connection, deadlines, retries, and our own errors."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import msgspec
from msgspec import Struct

from rag import __version__
from rag.errors import InvalidSettings, MalformedReply, ProviderError, ProviderUnavailable
from rag.mistral.failures import MayPass, failure_of
from rag.mistral.patience import BULK, INTERACTIVE, Patience
from rag.mistral.refusals import LARGEST_BODY
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.mistral.wire.models import ModelCard, ModelList

log = logging.getLogger(__name__)

BASE_URL = "https://api.mistral.ai"

_CONNECT = 10.0
"""Seconds to open a connection. All else is under the call's own deadline: the connection
library's timeouts begin anew with every byte, so a reply that drips would never end."""

_QUICK = 10.0
"""Seconds for a call that does no work."""

_LARGEST_LIST = 8 * 1024 * 1024
"""Bytes; the card of a model has some two thousand."""

_DEAR_FAILURES = 2
"""Of one call until it is given up: replies that were too slow or not readable, and yet were
probably billed."""

Value = TypeVar("Value")


class Call(Struct, frozen=True):
    """One question to the provider. Its request holds what nobody may log."""

    path: str
    model: str
    """Its id, for the operator to read; what is asked for where no model is."""
    request: Struct | None
    """Sent as JSON by POST; None is a GET."""
    deadline: float
    """Seconds from first byte out to last byte in."""
    largest_reply: int
    """Bytes."""

    def __repr__(self) -> str:
        return f"Call({self.path!r}, {self.model!r})"


class MistralClient:
    """Speaks to one account. Safe to share among tasks; `close` it once."""

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = BASE_URL,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            transport: what carries the requests; the network where None.
            sleep: waits so many seconds.
            chance: uniform in [0, 1).

        Raises:
            InvalidSettings: the key or the base URL cannot be one.
        """
        self._http = httpx.AsyncClient(
            base_url=_checked_url(base_url),
            headers={
                "authorization": f"Bearer {_checked_key(api_key)}",
                "accept": "application/json",
                "user-agent": f"rag/{__version__}",
            },
            timeout=httpx.Timeout(None, connect=_CONNECT),
            limits=httpx.Limits(max_connections=BULK.places + INTERACTIVE.places),
            transport=transport,
        )
        self._places = {each: asyncio.Semaphore(each.places) for each in (BULK, INTERACTIVE)}
        self._retiring: set[str] = set()
        """Models whose retirement was told."""
        self._sleep = sleep
        self._chance = chance

    def __repr__(self) -> str:
        return f"MistralClient({str(self._http.base_url)!r})"

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, call: Call, read: Callable[[bytes], Value], *, patience: Patience) -> Value:
        """What `read` makes of the reply. Repeated where a failure may pass; the provider knows
        no idempotency key, so a reply that was lost on its way may be billed twice.

        Args:
            read: body -> value; raises MalformedReply for a body not to be believed.

        Raises:
            Refused: it will not do it, however often it is asked.
            RateLimited: it asks us to wait longer than the patience lasts.
            ProviderUnavailable: it is down, or too slow.
            MalformedReply: it answered in no shape that was agreed.
        """
        body = None if call.request is None else msgspec.json.encode(call.request)
        attempt = dear = 0
        while True:
            attempt += 1
            try:
                async with self._places[patience]:
                    return await self._attempt(call, body, read)
            except MayPass as failure:
                wait = patience.wait(attempt, failure.retry_after, self._chance())
                dear += failure.is_dear
                if wait is None or dear == _DEAR_FAILURES:
                    raise failure.error from failure.__cause__
                _tell_of_retry(call, attempt, failure.error, wait)
            await self._sleep(wait)

    async def models(self) -> tuple[ModelCard, ...]:
        """Every model that the key may use, with the date on which it goes, where that is known.
        Costs nothing, and a wrong key is refused: the cheapest way to try one.

        Raises:
            ProviderError: the key was refused, or the provider failed.
        """
        call = Call("/v1/models", "list of models", None, _QUICK, _LARGEST_LIST)
        reply = await self.ask(call, lambda body: decode(body, ModelList), patience=INTERACTIVE)
        return reply.data

    async def _attempt(
        self, call: Call, body: bytes | None, read: Callable[[bytes], Value]
    ) -> Value:
        try:
            async with asyncio.timeout(call.deadline):
                status, headers, reply = await self._exchange(call, body)
        except TimeoutError as error:
            late = ProviderUnavailable(PROVIDER, f"did not answer within {call.deadline:g} s")
            raise MayPass(late, is_dear=True) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            gone = ProviderUnavailable(PROVIDER, "cannot be reached")
            raise MayPass(gone) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            broken = ProviderUnavailable(PROVIDER, "broke off the connection")
            raise MayPass(broken) from error
        if status != httpx.codes.OK:
            raise failure_of(call.model, status, headers, reply)
        self._warn_of_retirement(call, headers)
        try:
            return read(reply)
        except MalformedReply as error:
            raise MayPass(error, is_dear=True) from error.__cause__

    async def _exchange(self, call: Call, body: bytes | None) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and the whole body, decompressed, within the call's limit."""
        request = self._http.build_request(
            "GET" if body is None else "POST",
            call.path,
            content=body,
            headers=None if body is None else {"content-type": "application/json"},
        )
        response = await self._http.send(request, stream=True)
        try:
            is_reply = response.status_code == httpx.codes.OK
            limit = call.largest_reply if is_reply else LARGEST_BODY
            received = bytearray()
            async for piece in response.aiter_bytes():
                received += piece
                if len(received) > limit:
                    break
            if is_reply and len(received) > limit:
                raise MalformedReply(PROVIDER, f"sent more than {limit:,} bytes, and was cut off")
            return response.status_code, response.headers, bytes(received)
        finally:
            await response.aclose()

    def _warn_of_retirement(self, call: Call, headers: httpx.Headers) -> None:
        """Once for each model."""
        retires = headers.get("x-model-deprecation-timestamp")
        if retires and call.model not in self._retiring:
            self._retiring.add(call.model)
            log.warning(
                "a model is about to be retired",
                extra={"action": "model_retires", "model": call.model, "on": retires[:40]},
            )


def _tell_of_retry(call: Call, attempt: int, error: ProviderError, wait: float) -> None:
    log.info(
        "provider call is repeated",
        extra={
            "action": "provider_retry",
            "model": call.model,
            "attempt": attempt,
            "reason": error.code,
            "wait": round(wait, 2),
        },
    )


def _checked_key(api_key: str) -> str:
    """Refused here, because the connection library would repeat it in its own error."""
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidSettings("the Mistral API key is empty, or holds characters no key has")
    return key


def _checked_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise InvalidSettings("the Mistral base URL is not a URL") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidSettings("the Mistral base URL must start with https:// and name a host")
    return url
