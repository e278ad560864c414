"""Where a name is defined and used."""

from pathlib import Path

from rag.codebase.indexing import index
from rag.codebase.symbols import Symbols, find_symbols
from rag.storage.library import Library
from tests.codebase.repositories import repository

FILES = {
    "a.py": "class Session:\n    def send(self):\n        return parse_url('x')\n",
    "b.py": "class Socket:\n    def send(self):\n        pass\n",
    "url.py": "def parse_url(text):\n    return text\n",
    "url.ts": "export function parseUrl(text: string) { return text }\n",
    "README.md": "Call `parse_url` first.\n",
}


def found(tmp_path: Path, name: str) -> Symbols:
    with Library.open(tmp_path / "data") as library:
        index(repository(tmp_path / "code", FILES), None, library=library)
        view = library.code.view(library.code.find("code"), None)
        return find_symbols(name, view, 10, library=library)


def test_a_name_is_found_as_it_is_written_and_then_as_others_write_it(tmp_path: Path) -> None:
    symbols = found(tmp_path, "parseUrl")

    assert [(each.path, each.name) for each in symbols.definitions] == [
        ("url.ts", "parseUrl"),
        ("url.py", "parse_url"),
    ]


def test_a_qualified_name_is_found_in_what_it_stands_in(tmp_path: Path) -> None:
    [symbol] = found(tmp_path, "Socket.send").definitions

    assert (symbol.path, symbol.qualified, symbol.start_line) == ("b.py", "Socket.send", 2)
    assert symbol.signature == "def send(self):"


def test_references_are_lines_that_use_a_name_those_of_code_first(tmp_path: Path) -> None:
    symbols = found(tmp_path, "parse_url")

    assert [(each.path, each.line, each.within) for each in symbols.references] == [
        ("a.py", 3, "Session"),
        ("README.md", 1, ""),
    ]


def test_what_is_no_name_is_defined_nowhere(tmp_path: Path) -> None:
    assert found(tmp_path, "::").definitions == ()
