#!/usr/bin/env python3
"""What commits cost: a real history is indexed commit by commit, and every bought text is counted.

    python scripts/bench/code_commits.py REPOSITORY [--commits 200] [--data-dir DIR]

Each commit may buy the texts of its chunks that no commit before it had, and nothing else; that is
counted here from the outlines, apart from what the library says. Then a file is renamed, a branch
is switched to and back, and the history is cloned: all of that must buy nothing. The embedder is a
counting one, so nothing is sent anywhere.
"""

import argparse
import asyncio
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.codebase.embedding import CARD_TOKENS, cards_of, embed_code
from rag.codebase.indexing import index
from rag.domain import InputType, Vectors
from rag.sources.git.repository import Place
from rag.storage.library import Library

BRANCH = "walk"
WIDE = 8  # numbers of a vector; only their count matters here


class Counting:
    """An embedder that keeps count."""

    model = f"counting/{WIDE}"
    dimension = WIDE
    max_tokens = CARD_TOKENS

    def __init__(self) -> None:
        self.bought: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 + 1 for text in texts]

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        if input_type == "passage":
            self.bought += texts
        vectors = np.zeros((len(texts), WIDE), np.float32)
        vectors[:, 0] = 1
        return vectors


class Walk:
    """A history as it is indexed, and all texts that it has had so far."""

    def __init__(self, library: Library, embedder: Counting) -> None:
        self._library = library
        self._embedder = embedder
        self._seen: set[str] = set()

    async def step(self, folder: Path, ref: str, name: str) -> tuple[int, int, int]:
        """Chunks there are, texts that are new, and those that were bought."""
        index(folder, ref, name=name, library=self._library)
        view = self._library.code.view(self._library.code.find(name), ref)
        contents = sorted({file.content for file in view.files.values()})
        cards = cards_of(contents, self._embedder, self._library)
        texts = {text for each in cards.values() for text in each}
        before = len(self._embedder.bought)
        while (await embed_code(view, self._embedder, 600, library=self._library)).pending:
            pass
        bought = self._embedder.bought[before:]
        new = texts - self._seen
        self._seen |= texts
        return view.snapshot.chunks, len(new), len(bought)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "first.git"
        git("clone", "--quiet", "--bare", str(given.repository), str(folder))
        commits = list(reversed(list(Place(folder).commits("HEAD", given.commits + 1))))
        with Library.open((given.data_dir or Path(temporary) / "data").resolve()) as library:
            await walked(Walk(library, Counting()), folder, [each.id for each in commits])


async def walked(walk: Walk, folder: Path, commits: Sequence[str]) -> None:
    chunks = new = bought = wrong = 0
    for n, commit in enumerate(commits):
        move(folder, commit)
        has, should, did = await walk.step(folder, BRANCH, "walk")
        if n == 0:
            trial = f", {did - should:,} of them to try how much meaning is worth"
            print(f"the first commit: {has:,} chunks, {should:,} texts, {did:,} bought{trial}")
            continue
        chunks, new, bought, wrong = (
            chunks + has,
            new + should,
            bought + did,
            wrong + (should != did),
        )
    print(
        f"{len(commits) - 1} commits: {chunks:,} chunks looked at, {new:,} new texts,"
        f" {bought:,} bought; {wrong} commits bought more or less than they should"
    )
    for what, commit in (("back to the first", commits[0]), ("and forward again", commits[-1])):
        move(folder, commit)
        print(f"{what}: {(await walk.step(folder, BRANCH, 'walk'))[2]} bought")
    move(folder, renamed(folder, commits[-1]))
    print(f"every file in another folder: {(await walk.step(folder, BRANCH, 'walk'))[2]} bought")
    second = folder.with_name("second.git")
    git("clone", "--quiet", "--bare", str(folder), str(second))
    move(second, commits[-1])
    print(f"a second clone: {(await walk.step(second, BRANCH, 'second'))[2]} bought")


def move(folder: Path, commit: str) -> None:
    git("--git-dir", str(folder), "update-ref", f"refs/heads/{BRANCH}", commit)


def renamed(folder: Path, commit: str) -> str:
    """The same files below a new folder, as a commit that no work tree was needed for."""
    at = ("--git-dir", str(folder))
    root = git(*at, "rev-parse", f"{commit}^{{tree}}")
    tree = git(*at, "mktree", given=f"040000 tree {root}\tmoved\n")
    return git(*at, "commit-tree", "-m", "moved", "-p", commit, tree)


def git(*arguments: str, given: str = "") -> str:
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{what}": "x" for role in roles for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *arguments],
        env=os.environ | who | {"GIT_CONFIG_GLOBAL": "/dev/null"},
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    asyncio.run(main())
