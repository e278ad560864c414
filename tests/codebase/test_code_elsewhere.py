"""A repository of another host: indexed from a clone of ours, and known by its address."""

import shutil
from pathlib import Path

import pytest

from rag.codebase.cloning import Clones, named_by
from rag.codebase.indexing import index
from rag.codebase.searching import CodeQuery, search_code
from rag.sources.web.fetching import Fetcher
from rag.sources.web.rules import rules_of
from rag.storage.library import Library
from tests.codebase.repositories import commit, repository, write
from tests.sources.git.hosting import Forge

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


async def test_what_was_pushed_is_found_after_the_next_fetch(tmp_path: Path) -> None:
    with Forge(tmp_path / "hosted") as forge, Library.open(tmp_path / "data") as library:
        code = repository(forge.folder / "shop", {"a.py": "def first():\n    return 1\n"})
        clones = Clones(tmp_path / "clones", Fetcher(rules_of(("127.0.0.1",), (forge.port,))))
        location, name = named_by(forge.url("shop"))

        async def indexed() -> int:
            folder = await clones.fetch(location, None)
            return index(folder, None, name=name, location=location, library=library).new_files

        assert await indexed() == 1
        write(code, {"b.py": "def second():\n    return 2\n"})
        commit(code, "second")
        assert await indexed() == 1
        assert await indexed() == 0

        [shop] = library.code.all()
        hits = search_code(CodeQuery("where is second defined"), [shop], library=library).hits
        assert (shop.name, shop.location) == ("shop", location)
        assert hits[0].path == "b.py"
        clones.remove(location)
        assert not clones.folder_of(location).exists()
