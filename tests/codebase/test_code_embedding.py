"""The vectors of code: bought once, and of use only where they find something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.codebase.embedding import CARD_TOKENS, embed_code, fitted, plan
from rag.codebase.indexing import index
from rag.codebase.legs import Meaning
from rag.codebase.searching import CodeQuery, CodeResult, search_code
from rag.storage.library import Library
from tests.codebase.repositories import commit, git, repository, write
from tests.fakes import HashingEmbedder

pytestmark = pytest.mark.anyio

LONG = 600.0  # seconds; no test takes them


def function(name: str, says: str) -> str:
    steps = "".join(f"    step_{n} = {name}_{n}(first, second, third)\n" for n in range(20))
    return f'def {name}():\n    """{says}"""\n{steps}\n'


FILES = {
    "a.py": function("alpha", "Weighs the cargo of a ship.") + function("beta", "Counts the crew."),
    "b.py": function("gamma", "Sails to another harbor."),
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        yield library


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return repository(tmp_path / "code", FILES)


async def bought(library: Library, folder: Path, ref: str | None = None) -> int:
    """Texts that an indexing paid for."""
    name = index(folder, ref, library=library).snapshot.repository
    embedder = HashingEmbedder()
    view = library.code.view(library.code.find(name), ref)
    done = await embed_code(view, embedder, LONG, library=library)
    assert done.pending == 0
    return done.bought


async def test_only_chunks_that_changed_are_paid_for(
    library: Library, code: Path, tmp_path: Path
) -> None:
    assert await bought(library, code) == 3

    write(code, {"a.py": FILES["a.py"].replace("beta_7", "other")})
    commit(code, "one function changed")
    assert await bought(library, code) == 1
    git(code, "mv", "b.py", "c.py")
    commit(code, "renamed")
    assert await bought(library, code) == 0
    assert await bought(library, code, "HEAD~2") == 0
    assert await bought(library, code, "HEAD") == 0
    git(tmp_path, "clone", "--quiet", "--bare", str(code), "clone.git")
    assert await bought(library, tmp_path / "clone.git", "main") == 0


async def test_a_commit_and_a_second_clone_try_nothing_that_was_tried(
    library: Library, tmp_path: Path
) -> None:
    files = {
        f"{n}.py": function(f"work_{n}", f"Says at some length what number {n} is there for.")
        for n in range(25)
    }
    code = repository(tmp_path / "many", files)
    embedder = HashingEmbedder()

    async def embedded(folder: Path, ref: str | None) -> list[str]:
        name = index(folder, ref, library=library).snapshot.repository
        view = library.code.view(library.code.find(name), ref)
        before = len(embedder.embedded)
        await embed_code(view, embedder, LONG, library=library)
        return embedder.embedded[before:]

    assert len(await embedded(code, None)) == 25 + 25  # and without their documentation
    write(code, {"3.py": files["3.py"].replace("Says", "Tells")})
    commit(code, "one changed")
    assert len(await embedded(code, None)) == 1
    git(tmp_path, "clone", "--quiet", "--bare", str(code), "clone.git")
    assert await embedded(tmp_path / "clone.git", "main") == []
    clone = library.code.view(library.code.find("clone"), "main")
    first = library.code.view(library.code.find("many"), None)
    assert library.code.weight(clone, embedder.model) == library.code.weight(first, embedder.model)


async def test_a_plan_tells_what_is_to_be_paid_and_pays_nothing(
    library: Library, code: Path
) -> None:
    index(code, None, library=library)
    view = library.code.view(library.code.find("code"), None)
    embedder = HashingEmbedder()

    before = plan(view, embedder, library=library)
    assert embedder.embedded == []
    await embed_code(view, embedder, LONG, library=library)
    after = plan(view, embedder, library=library)

    assert (before.chunks, before.known, after.known) == (3, 0, 3)
    assert before.tokens > after.tokens == 0


async def test_what_is_not_embedded_yet_is_pending_and_found_by_words(
    library: Library, code: Path
) -> None:
    index(code, None, library=library)
    view = library.code.view(library.code.find("code"), None)
    embedder = HashingEmbedder()

    done = await embed_code(view, embedder, 0.0, library=library)

    assert (done.bought, done.pending) == (0, 3)
    assert (await asked(library, embedder, "alpha")).hits[0].found_by == ("words",)


async def asked(
    library: Library, embedder: HashingEmbedder, text: str, weight: float | None = None
) -> CodeResult:
    [vector] = await embedder.embed([text], "query")
    meaning = Meaning(embedder.model, vector, weight)
    return search_code(CodeQuery(text), library.code.all(), library=library, meaning=meaning)


async def test_both_legs_find_and_say_so(library: Library, code: Path) -> None:
    await bought(library, code)

    hits = (await asked(library, HashingEmbedder(), "sails to another harbor")).hits

    assert hits[0].path == "b.py"
    assert hits[0].found_by == ("dense", "words")


async def test_meaning_alone_finds_what_words_do_not_have(library: Library, code: Path) -> None:
    await bought(library, code)
    embedder = HashingEmbedder()
    [vector] = await embedder.embed(["sails to another harbor"], "query")

    meaning = Meaning(embedder.model, vector, 1.0)
    hits = search_code(CodeQuery("zzz"), library.code.all(), library=library, meaning=meaning).hits

    assert hits[0].path == "b.py"
    assert hits[0].found_by == ("dense",)


def test_what_is_embedded_fits_the_model() -> None:
    embedder = HashingEmbedder()

    texts = fitted(["word " * 1_000, "short", ""], embedder)

    assert texts[1:] == ["short", ""]
    assert texts[0].startswith("word word")
    assert max(embedder.count_tokens(texts)) <= min(CARD_TOKENS, embedder.max_tokens)
