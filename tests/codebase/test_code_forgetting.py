"""What nothing needs any more goes: at once with its repository, after a while with its branch."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from rag.codebase.embedding import embed_code
from rag.codebase.indexing import index
from rag.codebase.searching import CodeQuery, search_code
from rag.storage.checking.checkup import Report
from rag.storage.code.tables import (
    CardsRow,
    CodeEmbeddingRow,
    CodeFileRow,
    ContentRow,
    SnapshotRow,
)
from rag.storage.code.words import CodeWords
from rag.storage.database import Database
from rag.storage.lexical.damage import WordsDamaged
from rag.storage.library import Library
from tests.codebase.repositories import commit, repository, write
from tests.fakes import HashingEmbedder

FILES = {"a.py": "def first():\n    return 1\n", "b.py": "def second():\n    return 2\n"}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        yield library


@pytest.fixture
def either(tmp_path: Path, database_url: str | None) -> Iterator[Library]:
    """On each of the databases."""
    with Library.open(tmp_path / "data", database_url=database_url) as library:
        yield library


def rows(library: Library) -> list[int]:
    """Files, contents, cards and vectors there are."""
    tables = (CodeFileRow, ContentRow, CardsRow, CodeEmbeddingRow)
    with database(library).read() as session:
        return [session.scalar(select(func.count()).select_from(each)) or 0 for each in tables]


def database(library: Library) -> Database:
    return library._database


async def embed(library: Library, name: str) -> None:
    view = library.code.view(library.code.find(name), None)
    await embed_code(view, HashingEmbedder(), 60.0, library=library)


@pytest.mark.anyio
async def test_a_dropped_repository_takes_all_that_only_it_had(
    either: Library, tmp_path: Path
) -> None:
    index(repository(tmp_path / "one", FILES), None, library=either)
    index(repository(tmp_path / "two", {"z.py": FILES["a.py"]}), None, library=either)
    await embed(either, "one")
    await embed(either, "two")
    assert rows(either) == [3, 2, 2, 2]

    either.code.delete(either.code.find("one"))
    assert rows(either) == [1, 1, 1, 1]
    either.code.delete(either.code.find("two"))
    assert rows(either) == [0, 0, 0, 0]


@pytest.mark.anyio
async def test_a_branch_that_is_left_is_remembered_for_a_while(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = repository(tmp_path / "code", FILES)
    index(code, None, library=library)
    await embed(library, "code")
    write(code, {"a.py": "def other():\n    return 3\n"})
    commit(code, "second")
    index(code, None, library=library)
    assert rows(library) == [3, 3, 2, 2]

    monkeypatch.setattr("rag.storage.code.forgetting.KEPT", timedelta(seconds=-1))
    index(code, None, library=library)

    assert rows(library) == [2, 2, 1, 1]


@pytest.mark.anyio
async def test_a_branch_that_comes_back_in_time_is_still_known(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = repository(tmp_path / "code", FILES)
    for content in ("x = 1\n", FILES["a.py"]):
        index(code, None, library=library)
        write(code, {"a.py": content})
    assert index(code, None, library=library).new_files == 0

    monkeypatch.setattr("rag.storage.code.forgetting.KEPT", timedelta(days=1))
    index(code, None, library=library)

    assert rows(library)[:2] == [3, 3]


@pytest.fixture
async def checked(library: Library, tmp_path: Path) -> Library:
    index(repository(tmp_path / "code", FILES), None, library=library)
    await embed(library, "code")
    assert library.checkup.run().is_sound
    return library


FLAWS = {
    "a content that cannot be read": update(ContentRow).values(text=b"damaged"),
    "an outline of another text": update(ContentRow).values(chunks=7),
    "a vector of another width": update(CodeEmbeddingRow).values(dimension=3),
    "a vector that is lost": text("DELETE FROM code_embedding"),
    "a vector of nothing": text("DELETE FROM code_cards"),
    "files of a state that are gone": update(SnapshotRow).values(files=b"damaged"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("flaw", FLAWS)
async def test_what_does_not_agree_is_found_and_mended(checked: Library, flaw: str) -> None:
    with database(checked).write() as session:
        session.execute(FLAWS[flaw])

    found = checked.checkup.run()
    assert parts(found) == {"code"}
    assert checked.checkup.run(repair=True).is_sound
    assert checked.checkup.run().flaws == ()


def parts(report: Report) -> set[str]:
    return {flaw.part for flaw in report.flaws}


@pytest.mark.anyio
async def test_words_of_a_repository_that_is_gone_are_removed(checked: Library) -> None:
    (checked.data_dir / "code" / "repo_gone").mkdir()

    assert parts(checked.checkup.run()) == {"code"}
    assert checked.checkup.run(repair=True).is_sound
    assert not (checked.data_dir / "code" / "repo_gone").exists()


def found(library: Library) -> list[str]:
    result = search_code(CodeQuery("second"), library.code.all(), library=library)
    return [hit.path for hit in result.hits]


@pytest.mark.anyio
async def test_words_are_built_again_when_that_is_asked(checked: Library) -> None:
    assert checked.code.rebuild() == 1
    assert found(checked) == ["b.py"]
    assert [each.name for each in (checked.data_dir / "code").iterdir()] == [
        checked.code.find("code").id
    ]


@pytest.mark.anyio
async def test_words_that_are_damaged_while_they_are_open_are_built_again(
    checked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, failures = CodeWords.search, ["damaged"]

    def failing(*arguments: object, **more: object) -> object:
        if failures:
            raise WordsDamaged(failures.pop())
        return search(*arguments, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(CodeWords, "search", failing)

    assert found(checked) == ["b.py"]
