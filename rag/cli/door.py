"""The way into a library: the REST API, at the server that owns it or in this very process.

Every command speaks REST, so there is one behavior to learn and to test, whoever has the library
open.
"""

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import httpx

from rag.errors import RagError
from rag.settings import Settings, load_settings
from rag.storage.ownership import owner

Result = TypeVar("Result")
Waits: TypeAlias = Callable[[str | None], None]

ANSWER_TIME = 600.0
"""Seconds a single request may take: a chat model behind a question takes its time."""

PATIENCE = 900.0  # seconds that a server may be away: a machine starts again in less
AWAY = 1.0  # seconds between two looks whether it is back
PAGE = 100  # entries asked for at a time, the most the API gives


class Refused(RagError):
    """The API answered with a problem document; its words are the message."""

    code = "refused"

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))
        self.status = status
        self.retry_after: float | None = problem.get("retry_after")
        """Seconds after which it may be asked again, where the service says."""


class Door:
    """An open library."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        address: str | None,
        find: Callable[[], str | None] = lambda: None,
    ) -> None:
        """
        Args:
            find: where the server is now, if it runs: it may come back elsewhere.
        """
        self._http = http
        self.address = address
        """Of the server spoken to; None when the library is open in this process."""
        self._find = find
        self._patience = 0.0
        self._waits: Waits = lambda _: None

    def patient(self, waits: Waits) -> "Door":
        """One that waits for a server that is away, as while it starts again or is too busy to
        answer. For requests that may be made twice.

        Args:
            waits: hears why, and None once it has answered.
        """
        door = Door(self._http, self.address, self._find)
        door._patience, door._waits = PATIENCE, waits
        return door

    async def call(self, method: str, path: str, **request: Any) -> Any:
        """The decoded body of the answer.

        Raises:
            Refused: the API answered with a problem.
        """
        response = await self._answer(method, path, request)
        if response.is_error:
            raise Refused(response.status_code, problem_of(response))
        return response.json() if response.content else None

    async def _answer(self, method: str, path: str, request: dict[str, Any]) -> httpx.Response:
        deadline = monotonic() + self._patience
        failures = 0
        while True:
            try:
                response = await self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if monotonic() >= deadline:
                    raise RagError(
                        f"the server at {self.address} does not answer"
                        f" ({str(error).rstrip('.') or type(error).__name__}). What it accepted it"
                        " keeps; once it runs again, the same command goes on from there"
                    ) from error
            else:
                if failures > 1:
                    self._waits(None)
                return response
            failures += 1
            if failures > 1:  # once is a connection that was closed for having been idle
                self._waits("the server does not answer; waiting for it")
            await asyncio.sleep(AWAY)
            self.address = self._find() or self.address
            self._http.base_url = httpx.URL(self.address or "")

    async def listing(self, path: str, **asked: str) -> AsyncIterator[dict[str, Any]]:
        """All entries of a list, page after page.

        Args:
            asked: parameters of the list.
        """
        cursor: dict[str, str] = {}
        while True:
            page = await self.call("GET", path, params={"limit": PAGE, **asked, **cursor})
            for entry in page["data"]:
                yield entry
            if not page["has_more"]:
                return
            cursor = {"after": page["next"]}


@asynccontextmanager
async def open_door(settings: Settings) -> AsyncIterator[Door]:
    """
    Raises:
        LibraryInUse: another command has the library open, and keeps it open.
    """
    folder = Path(settings.data_dir).expanduser().resolve()
    address = owner(folder)
    if address is not None:
        async with httpx.AsyncClient(base_url=address, timeout=ANSWER_TIME) as http:
            yield Door(http, address, partial(owner, folder))
        return
    inside = importlib.import_module("rag.cli.inside")  # every engine, only where they are needed
    async with inside.opened(settings, ANSWER_TIME) as http:
        yield Door(http, None)


def run(work: Callable[[Door], Awaitable[Result]]) -> Result:
    """Opens the library that the environment names, does the work, and closes it."""
    settings = load_settings(os.environ)

    async def inside() -> Result:
        async with open_door(settings) as door:
            return await work(door)

    return asyncio.run(inside())


def problem_of(response: httpx.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
