"""Repositories kept as they are where they come from: when somebody says so, when a question finds
that little has changed, and in the background for whoever cannot wait."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from rag.codebase.cloning import Clones, is_address
from rag.codebase.indexing import Indexed, index
from rag.codebase.searching import FRESHNESS
from rag.errors import NotFound, RagError
from rag.sources.git.repository import Place
from rag.storage.library import Library
from rag.syntax.languages import language_of
from rag.trees import Repository, Selection, Snapshot

log = logging.getLogger(__name__)

CHEAP_FILES = 2_000
"""Of a state that is brought up to date while a question waits: listing so many takes 50 ms, and
reading a work tree of them half a second."""

CHEAP_NEW = 60
"""New contents among them: cutting so many takes a fifth of a second."""


class CodeRefresher:
    """Fetches and indexes. What is begun in the background ends with `stop`."""

    def __init__(
        self, library: Library, clones: Clones, told: Callable[[], None] = lambda: None
    ) -> None:
        """
        Args:
            told: there is something new; called on the event loop.
        """
        self._library = library
        self._clones = clones
        self._told = told
        self._begun: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._alone: dict[str, asyncio.Lock] = {}

    async def index(
        self,
        location: str,
        ref: str | None,
        name: str | None,
        selection: Selection | None = None,
    ) -> Indexed:
        """What lies there, or is fetched from there, is searchable when this returns.

        Raises:
            As `index` and `Clones.fetch` do.
        """
        folder = await self._clones.fetch(location, ref)
        done = await asyncio.to_thread(
            index,
            folder,
            ref,
            name=name,
            location=location if is_address(location) else None,
            selection=selection,
            library=self._library,
        )
        self._told()
        return done

    def begin(self, repository: Repository) -> None:
        """All its refs that can move, in the background. Where that is under way, once more."""
        if repository.id in self._begun:
            self._again.add(repository.id)
            return
        task = asyncio.create_task(self._refresh(repository))
        self._begun[repository.id] = task
        task.add_done_callback(lambda _: self._begun.pop(repository.id, None))

    async def stop(self) -> None:
        for task in tuple(self._begun.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def reconcile(self, repositories: Sequence[Repository], ref: str | None) -> None:
        """Where a ref has moved and little has changed, that is indexed now. Else nothing is done,
        and a search says that what it searched is stale."""
        for repository in repositories:
            alone = self._alone.setdefault(repository.id, asyncio.Lock())
            with suppress(RagError):  # the folder is away: what is indexed is what there is
                async with alone:
                    await self._reconcile(repository, ref)

    async def _reconcile(self, repository: Repository, ref: str | None) -> None:
        snapshot = await asyncio.to_thread(self._library.code.snapshot, repository, ref)
        if await asyncio.to_thread(self._has_moved_a_little, repository, snapshot):
            await self.index(repository.location, snapshot.ref or None, repository.name)

    def _has_moved_a_little(self, repository: Repository, snapshot: Snapshot) -> bool:
        if snapshot.seen > CHEAP_FILES or not FRESHNESS.is_stale(repository, snapshot):
            return False
        place = Place(self._clones.folder_of(repository.location))
        tree = place.tree(snapshot.ref or "HEAD")
        pairs = [(file.oid, language_of(file.path)) for file in tree.files]
        return len(self._library.code.unknown(pairs)) <= CHEAP_NEW

    async def _refresh(self, repository: Repository) -> None:
        self._again.add(repository.id)
        while repository.id in self._again:
            self._again.discard(repository.id)
            try:
                for snapshot in await asyncio.to_thread(self._library.code.snapshots, repository):
                    if snapshot.ref != snapshot.commit:  # a commit stays what it is
                        ref = snapshot.ref or None
                        await self.index(repository.location, ref, repository.name)
            except NotFound:
                return  # it was forgotten meanwhile, or its folder is away
            except RagError as error:
                fields = {"action": "refresh_failed", "code": error.code}
                log.warning("a repository was not refreshed", extra=fields)
