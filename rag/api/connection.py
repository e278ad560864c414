"""One HTTP connection with deadlines, which the server library does not have.

A client that drips a request head byte by byte, sends a body nobody will read, or never reads
its response would hold its connection for ever; a few hundred of them would be all there are.
"""

import asyncio
from asyncio import TimerHandle
from typing import Any

import msgspec
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from rag.api.limits import Limits
from rag.api.problems import MEDIA_TYPE, Refused, new_request_id, problem_of


class Connection(HttpToolsProtocol):
    """Closes itself when a deadline passes.

    One timer runs while the client owes us something: the rest of a request's head, or of a body
    whose response is already sent. None runs while we owe the client a response.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._owed: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._in_head = True
        self._head_bytes = 0

    # --- what arrives ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(
                Refused(503, "too_many_connections", "too many connections", retry_after=1)
            )
        else:
            self._expect_within(self._limits.head_seconds)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)  # too many at the head's end, where it no longer matters
        super().data_received(data)
        if not self._in_head:
            return
        if self._head_bytes > self._limits.head_bytes:
            self._refuse(
                Refused(
                    431, "head_too_large", f"more than {self._limits.head_bytes} bytes of headers"
                )
            )
        elif self._owed is None and self._is_idle:  # bytes that begin nothing, like blank lines
            self._expect_within(self._limits.head_seconds)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._owed is None:
            self._expect_within(self._limits.head_seconds)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._settle()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._settle()
        if self._is_idle:  # the rest of a body that was answered early
            self._expect_within(self._limits.idle_seconds)

    # --- what leaves ---

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_head:
            self._expect_within(self._limits.idle_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self._limits.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        self.transport.abort()  # unlike a close, it does not wait for a client that never reads

    def send_400_response(self, msg: str) -> None:
        self._refuse(Refused(400, "bad_request", "this is not an HTTP request"))

    # --- deadlines ---

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_within(self, seconds: float) -> None:
        self._settle()
        self._owed = self.loop.call_later(seconds, self._overdue)

    def _settle(self) -> None:
        if self._owed is not None:
            self._owed.cancel()
            self._owed = None

    def _overdue(self) -> None:
        self._owed = None
        if not self._is_idle:  # the next request may wait until this one has its response
            self._expect_within(self._limits.head_seconds)
        elif self._in_head and self._head_bytes:
            self._refuse(
                Refused(408, "request_timeout", "the request's headers did not arrive in time")
            )
        else:
            self.transport.abort()

    def _refuse(self, refused: Refused) -> None:
        """Answers below HTTP's machinery, and closes."""
        if self.transport.is_closing():
            return
        body = msgspec.json.encode(problem_of(refused, "", new_request_id()))
        lines = [
            STATUS_LINE[refused.status],
            f"content-type: {MEDIA_TYPE}\r\n".encode(),
            f"content-length: {len(body)}\r\n".encode(),
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"".join([*lines, body]))
        self.transport.close()
