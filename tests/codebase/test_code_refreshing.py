"""Repositories kept as they are where they come from."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.codebase import refreshing
from rag.codebase.cloning import Clones
from rag.codebase.planning import foresee
from rag.codebase.refreshing import CodeRefresher
from rag.codebase.searching import FRESHNESS, CodeQuery, search_code
from rag.sources.web.fetching import Fetcher
from rag.sources.web.rules import rules_of
from rag.storage.library import Library
from tests.codebase.repositories import commit, git, repository, write
from tests.fakes import HashingEmbedder

pytestmark = pytest.mark.anyio


class Kept:
    """A library with one repository, and what keeps it fresh."""

    def __init__(self, folder: Path) -> None:
        files = {"a.py": "def first():\n    return 1\n", "b.png": b"\x89PNG\0"}
        self.code = repository(folder / "shop", files)
        self.library = Library.open(folder / "data")
        self.woken = 0
        clones = Clones(folder / "clones", Fetcher(rules_of(())))
        self.refresher = CodeRefresher(self.library, clones, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    async def found(self, text: str, ref: str | None = None) -> list[str]:
        """As a question finds it that somebody asks now."""
        FRESHNESS.forget()
        await self.refresher.reconcile(self.library.code.all(), ref)
        asked = CodeQuery(text, ref=ref)
        hits = search_code(asked, self.library.code.all(), library=self.library).hits
        return [hit.path for hit in hits]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.library.close()


async def test_a_question_after_a_commit_finds_what_was_committed(kept: Kept) -> None:
    await kept.refresher.index(str(kept.code), "main", None)
    write(kept.code, {"c.py": "def second():\n    return 2\n"})
    head = commit(kept.code, "second")

    assert await kept.found("where is second defined", "main") == ["c.py"]
    assert kept.library.code.snapshot(kept.library.code.find("shop"), "main").commit == head
    assert kept.woken == 2
    assert await kept.found("where is second defined", "main") == ["c.py"]
    assert kept.woken == 2  # nothing had moved


async def test_a_branch_that_is_switched_is_followed(kept: Kept) -> None:
    await kept.refresher.index(str(kept.code), None, None)
    git(kept.code, "checkout", "--quiet", "-b", "side")
    write(kept.code, {"a.py": "def sideways():\n    return 1\n"})
    commit(kept.code, "other")

    assert await kept.found("where is sideways defined") == ["a.py"]
    git(kept.code, "checkout", "--quiet", "main")
    assert await kept.found("where is first defined") == ["a.py"]


async def test_where_much_has_changed_the_question_does_not_wait(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "CHEAP_NEW", 1)
    await kept.refresher.index(str(kept.code), "main", None)
    write(kept.code, {f"{n}.py": f"def number_{n}():\n    return {n}\n" for n in range(3)})
    commit(kept.code, "many")

    assert await kept.found("where is number_2 defined", "main") == []
    [state] = search_code(
        CodeQuery("first", ref="main"), kept.library.code.all(), library=kept.library
    ).searched
    assert state.stale


async def test_a_refresh_in_the_background_brings_every_ref_that_can_move(kept: Kept) -> None:
    first = git(kept.code, "rev-parse", "HEAD")
    for ref in (None, "main", first):
        await kept.refresher.index(str(kept.code), ref, None)
    write(kept.code, {"c.py": "def second():\n    return 2\n"})
    head = commit(kept.code, "second")
    [shop] = kept.library.code.all()

    kept.refresher.begin(shop)
    kept.refresher.begin(shop)
    async with asyncio.timeout(20):
        while kept.refresher._begun:
            await asyncio.sleep(0.01)

    states = {each.ref: each.commit for each in kept.library.code.snapshots(shop)}
    assert states == {"": head, "main": head, first: first}


async def test_a_folder_that_is_gone_is_searched_as_it_was(kept: Kept) -> None:
    await kept.refresher.index(str(kept.code), None, None)
    kept.code.rename(kept.code.with_name("elsewhere"))

    assert await kept.found("where is first defined") == ["a.py"]
    kept.refresher.begin(kept.library.code.all()[0])
    await kept.refresher.stop()


async def test_what_indexing_would_take_is_told_and_nothing_of_it_is_done(kept: Kept) -> None:
    embedder = HashingEmbedder()
    before = foresee(kept.code, None, embedder=embedder, library=kept.library)

    assert (before.files, before.searched, before.new_files, before.chunks) == (2, 1, 1, 1)
    assert before.left_out == {"binary, by its name": 1}
    assert before.known == 0
    assert before.tokens > 0
    assert embedder.embedded == []
    assert kept.library.code.all() == ()

    await kept.refresher.index(str(kept.code), None, None)
    after = foresee(kept.code, None, embedder=embedder, library=kept.library)
    assert (after.new_files, after.chunks, after.tokens) == (0, 1, before.tokens)
    without = foresee(kept.code, None, embedder=None, library=kept.library)
    assert (without.tokens, without.model) == (0, None)
