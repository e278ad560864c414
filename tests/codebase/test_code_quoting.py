"""What is looked for as it stands: found wherever it is, told by which leg, and in bounded time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.codebase.indexing import index
from rag.codebase.legs import Verbatim
from rag.codebase.searching import CodeHit, CodeQuery, CodeResult, search_code
from rag.errors import InvalidRequest
from rag.storage.library import Library
from tests.codebase.repositories import commit, git, repository, write

FILES = {
    "src/wire.py": "def read(stream):\n"
    "    if not stream:\n"
    "        raise IOError('connection was reset by peer')\n"
    "    return stream.read(0x1F)\n",
    "src/crlf.c": "int main(void)\r\n{\r\n    return 0;\r\n}\r\n",
    "src/words.py": "# the connection of a peer was never reset by hand; peer, reset, connection\n",
    "docs/errors.md": "`connection was reset by peer` means that the peer went away.\n",
    "src/grüße.py": "GRUSS = 'Schöne Grüße aus ΑΘΉΝΑ'\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("quoting")
    with Library.open(folder / "data") as library:
        index(repository(folder / "code", FILES), None, library=library)
        yield library


def ask(library: Library, text: str, verbatim: Verbatim | None = None) -> CodeResult:
    query = CodeQuery(text, verbatim=verbatim)
    return search_code(query, [library.code.find("code")], library=library)


def found(hits: tuple[CodeHit, ...]) -> dict[str, tuple[int, ...]]:
    return {hit.path: hit.lines for hit in hits}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("connection was reset by peer", {"src/wire.py": (3,), "docs/errors.md": (1,)}),
        ("nnection was re", {"src/wire.py": (3,), "docs/errors.md": (1,)}),  # any piece of words
        ("Connection was reset", {}),
        (".read(0x1F)", {"src/wire.py": (4,)}),
        ("(void)\n{", {"src/crlf.c": (1,)}),
        ("grüße aus αθήνα", {"src/grüße.py": (1,)}),
        ("Grüße aus ΑΘΉΝΑ", {"src/grüße.py": (1,)}),
        ("};", {}),  # too short for a trigram: everything is looked through
        ("0;", {"src/crlf.c": (3,)}),
    ],
)
def test_a_literal_is_found_wherever_it_stands(
    library: Library, text: str, where: dict[str, tuple[int, ...]]
) -> None:
    result = ask(library, text, "exact")

    assert found(result.hits) == where
    assert all(hit.found_by == ("exact",) for hit in result.hits)
    assert result.unread == 0


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (r"reset by \w+'", {"src/wire.py": (3,)}),
        (r"0x[0-9A-F]+", {"src/wire.py": (4,)}),
        (r"^\s+return\b.*;$", {"src/crlf.c": (3,)}),
        (r"(raise|throw) IOError", {"src/wire.py": (3,)}),
        (r"z{3}", {}),
    ],
)
def test_an_expression_finds_its_lines(
    library: Library, text: str, where: dict[str, tuple[int, ...]]
) -> None:
    assert found(ask(library, text, "regex").hits) == where
    assert found(ask(library, f"/{text}/").hits) == where


def test_a_quotation_in_a_question_comes_first_and_other_legs_go_on(library: Library) -> None:
    hits = ask(library, 'why does a read fail with "connection was reset by peer"').hits

    assert (hits[0].path, hits[0].found_by) == ("src/wire.py", ("exact", "words"))
    assert "src/words.py" in found(hits)
    assert found(hits)["src/words.py"] == ()


def test_the_message_of_an_error_is_looked_for_as_it_stands(library: Library) -> None:
    trace = "Traceback (most recent call last):\nIOError: connection was reset by peer"

    assert ask(library, trace).hits[0].lines == (3,)


def test_a_frame_is_found_by_its_place_alone(library: Library) -> None:
    [hit] = ask(library, "/build/src/crlf.c:3").hits[:1]

    assert (hit.path, "frame" in hit.found_by or "words" in hit.found_by) == ("src/crlf.c", True)


def test_an_expression_that_is_none_is_refused(library: Library) -> None:
    with pytest.raises(InvalidRequest, match="brackets"):
        ask(library, "(unclosed", "regex")


def test_what_there_was_no_time_for_is_told(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.codebase.legs.VERBATIM_SECONDS", -1.0)

    result = ask(library, "connection", "exact")

    assert (result.hits, result.unread) == ((), 3)


def test_only_the_ref_that_is_asked_is_looked_through(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", {"a.py": "first = 'one fine day'\n"})
    before = git(code, "rev-parse", "HEAD")
    write(code, {"a.py": "second = 'another day'\n", "b.py": "first = 'one fine day'\n"})
    commit(code, "second")

    with Library.open(tmp_path / "data") as library:
        index(code, before, library=library)
        index(code, "main", library=library)

        def where(ref: str) -> list[str]:
            query = CodeQuery("one fine day", ref=ref, verbatim="exact")
            return [
                hit.path for hit in search_code(query, library.code.all(), library=library).hits
            ]

        assert (where(before), where("main")) == (["a.py"], ["b.py"])
