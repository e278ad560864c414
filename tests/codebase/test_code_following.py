"""Vectors follow in the background, survive what breaks them off, and are told while they come."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from rag.codebase.following import CodeFollower
from rag.codebase.indexing import index
from rag.codebase.searching import FRESHNESS, CodeQuery, search_code
from rag.domain import InputType, Vectors
from rag.errors import ModelUnavailable, ProviderUnavailable
from rag.pausing import Pause
from rag.storage.code.store import View
from rag.storage.library import Library
from tests.codebase.repositories import commit, repository, write
from tests.fakes import HashingEmbedder

FILES = {
    f"part_{n}.py": "".join(
        f"def f_{n}_{k}():\n" + f"    step_{n}_{k}(first, second, third)\n" * 20 for k in range(5)
    )
    for n in range(40)
}
PATIENCE = 20.0  # seconds


class SlowEmbedder(HashingEmbedder):
    """One that lets others run, and fails when it is told to."""

    failing = False

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        await asyncio.sleep(0.001)
        if self.failing:
            raise ProviderUnavailable("mistral", "it is down")
        return await super().embed(texts, input_type)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        yield library


@pytest.fixture
def view(library: Library, tmp_path: Path) -> View:
    index(repository(tmp_path / "code", FILES), None, library=library)
    code = library.code.find("code")
    library.code.set_embeds(code, True)
    return library.code.view(code, None)


@asynccontextmanager
async def following(
    library: Library, embedder: HashingEmbedder, pause: Pause | None = None
) -> AsyncIterator[CodeFollower]:
    follower = CodeFollower(library, embedder, pause or Pause())
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.anyio
async def test_vectors_follow_and_what_is_to_come_is_told(library: Library, view: View) -> None:
    embedder = SlowEmbedder()

    def pending() -> int | None:
        asked = CodeQuery("step")
        found = search_code(asked, [view.repository], library=library, model=embedder.model)
        return found.searched[0].pending

    before = pending()
    async with following(library, embedder) as follower:
        assert await follower.embedded(view, PATIENCE) == 0

    assert (before, pending()) == (view.snapshot.chunks, 0)


@pytest.mark.anyio
async def test_what_was_broken_off_goes_on_with_the_next_chunk(
    library: Library, view: View
) -> None:
    first, second = SlowEmbedder(), SlowEmbedder()
    async with following(library, first):
        while not first.embedded:
            await asyncio.sleep(0.001)

    async with following(library, second) as follower:
        assert await follower.embedded(view, PATIENCE) == 0

    texts = set(first.embedded) | set(second.embedded)
    assert 0 < len(first.embedded) < len(texts)
    twice = set(first.embedded) & set(second.embedded)
    assert len(twice) <= 2 * 64  # the call that was under way, and the self-check's


@pytest.mark.anyio
async def test_words_only_stays_so(library: Library, view: View) -> None:
    library.code.set_embeds(view.repository, False)
    embedder = SlowEmbedder()

    async with following(library, embedder) as follower:
        assert await follower.embedded(view, 0.2) == view.snapshot.chunks

    assert embedder.embedded == []


@pytest.mark.anyio
async def test_a_provider_that_is_down_is_waited_for_and_whoever_waits_is_told(
    library: Library, view: View
) -> None:
    embedder = SlowEmbedder()
    embedder.failing = True
    moment = 0.0

    async def sleep(_: float) -> None:
        await asyncio.sleep(0.01)

    pause = Pause(clock=lambda: moment, sleep=sleep)
    async with following(library, embedder, pause) as follower:
        with pytest.raises(ModelUnavailable, match="it is down"):
            await follower.embedded(view, PATIENCE)
        embedder.failing = False
        moment = 1_000.0
        assert await follower.embedded(view, PATIENCE) == 0


def test_one_process_at_a_time_embeds_a_repository(
    tmp_path: Path, database_url: str | None
) -> None:
    later, past = "2999-01-01T00:00:00.000000Z", "2000-01-01T00:00:00.000000Z"
    with Library.open(tmp_path / "data", database_url=database_url) as library:
        code = library.code.create("code", str(tmp_path))
        library.code.set_embeds(code, True)

        assert library.code.hold(code.id, later)
        assert library.code.hold(code.id, later) is not library.is_shared
        library.code.let_go(code.id, past)  # that was somebody else's
        assert library.code.hold(code.id, later) is not library.is_shared
        library.code.let_go(code.id, later)
        assert library.code.hold(code.id, past)
        assert library.code.hold(code.id, later)  # whoever had it is dead


def test_a_ref_that_moved_is_told(library: Library, view: View, tmp_path: Path) -> None:
    def is_stale() -> bool:
        FRESHNESS.forget()
        asked = CodeQuery("step")
        return search_code(asked, [view.repository], library=library).searched[0].stale

    assert not is_stale()
    write(tmp_path / "code", {"new.py": "x = 1\n"})
    commit(tmp_path / "code", "second")
    assert is_stale()
    index(tmp_path / "code", None, library=library)
    assert not is_stale()
    (tmp_path / "code").rename(tmp_path / "elsewhere")
    assert not is_stale()  # nothing is known
