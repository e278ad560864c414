"""Whoever wants to know that a job has ended is told over HTTP, signed, until he has heard it.

A message may come twice, under the same id; never a wrong one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import time
from typing import Protocol

import msgspec

from rag.domain import DeliveryState, IngestJob, derived_id
from rag.errors import AddressRefused, NotFound, RagError
from rag.signing import signed
from rag.storage.library import Library
from rag.storage.webhooks import Message

log = logging.getLogger(__name__)

POLL = 2.0  # seconds between looks for messages
LEASE = 120.0  # seconds that one may take: more than the longest request

WAITS = (5.0, 60.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Seconds after each attempt that failed: after the eighth, 18 hours on, nobody is told."""

GONE = 410
"""A status by which a receiver says that it wants no more."""


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


def _again(message: Message, said: str) -> tuple[DeliveryState, str, float | None]:
    if message.attempts > len(WAITS):
        return "given_up", said, None
    return "due", said, WAITS[message.attempts - 1]
