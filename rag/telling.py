"""Whoever wants to know that a job has ended is told over HTTP, signed, until he has heard it.

As Standard Webhooks has it: `webhook-id` stays the same when a message is sent again, and the
signature is an HMAC-SHA256 of id, time and body. A message may come twice; never a wrong one.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from time import time
from typing import Protocol

import msgspec

from rag.domain import DeliveryState, IngestJob, derived_id
from rag.errors import AddressRefused, InvalidSettings, NotFound, RagError
from rag.storage.library import Library
from rag.storage.webhooks import Message

log = logging.getLogger(__name__)

POLL = 2.0  # seconds between looks for messages
LEASE = 120.0  # seconds that one may take: more than the longest request

WAITS = (5.0, 60.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Seconds after each attempt that failed: after the eighth, 18 hours on, nobody is told."""

GONE = 410
"""A status by which a receiver says that it wants no more."""

MARK = "whsec_"  # before every secret, so that one is known for what it is
FEWEST, MOST = 16, 64  # bytes of a secret


class Post(Protocol):
    async def __call__(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Status of the answer.

        Raises:
            AddressRefused: nothing is sent there.
            RagError: it did not answer.
        """
        ...


class Teller:
    """Sends what is due, until stopped. Several may, in as many processes."""

    def __init__(
        self, library: Library, post: Post, secret: bytes, *, clock: Callable[[], float] = time
    ) -> None:
        """
        Args:
            post: guarded against addresses that nobody outside may reach.
        """
        self._library = library
        self._post = post
        self._secret = secret
        self._clock = clock

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            try:
                while await self.tell_next():
                    pass
            except Exception:  # the outermost loop
                log.exception("messages are not sent", extra={"action": "telling_failed"})
            await asyncio.sleep(POLL)

    async def tell_next(self) -> bool:
        """Whether there was a message."""
        jobs = self._library.jobs
        message = await asyncio.to_thread(jobs.take_message, lease=LEASE)
        if message is None:
            return False
        try:
            job = await asyncio.to_thread(jobs.find, message.job)
        except NotFound:
            return True
        state, said, wait = await self._send(message, job)
        await asyncio.to_thread(jobs.end_message, message, state, said, wait)
        return True

    async def _send(
        self, message: Message, job: IngestJob
    ) -> tuple[DeliveryState, str | None, float | None]:
        """How it ended, what went wrong, and after how many seconds it is sent again."""
        id, body = derived_id("msg", message.job, message.finished_at), body_of(job)
        headers = signed(id, int(self._clock()), body, self._secret)
        try:
            status = await self._post(message.url, body, headers)
        except AddressRefused as error:
            return "given_up", str(error), None
        except RagError as error:
            return _again(message, str(error))
        if 200 <= status < 300:
            return "delivered", None, None
        if status == GONE:
            return "given_up", "the receiver wants no more messages (410)", None
        return _again(message, f"the receiver answered with status {status}")


def body_of(job: IngestJob) -> bytes:
    return msgspec.json.encode(
        {"type": f"job.{job.state}", "timestamp": job.finished_at, "data": job}
    )


def signed(id: str, at: int, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of a message.

    Args:
        at: Unix time of the attempt, in seconds.
    """
    code = hmac.digest(secret, f"{id}.{at}.".encode() + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(code).decode(),
    }


def secret_of(written: str) -> bytes:
    """
    Raises:
        InvalidSettings: it is not `whsec_` and 16 to 64 bytes in base64.
    """
    try:
        secret = base64.b64decode(written.removeprefix(MARK), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not written.startswith(MARK) or not FEWEST <= len(secret) <= MOST:
        raise InvalidSettings(
            f"RAG_WEBHOOK_SECRET is `{MARK}` and {FEWEST} to {MOST} random bytes in"
            " base64; `openssl rand -base64 32` makes some"
        )
    return secret


def _again(message: Message, said: str) -> tuple[DeliveryState, str, float | None]:
    if message.attempts > len(WAITS):
        return "given_up", said, None
    return "due", said, WAITS[message.attempts - 1]
