"""Where a name is defined, and where it is used: from outlines and words, without an index of its
own."""

import re
from collections.abc import Iterator

from msgspec import Struct

from rag.ranking.code.terms import terms_of, whole_of
from rag.storage.code.store import Lookup, View
from rag.storage.code.words import Match
from rag.storage.library import Library
from rag.syntax.languages import DATA
from rag.syntax.outline import Definition
from rag.trees import CodeFile, Snapshot

LOOKED_THROUGH = 2_000
"""Chunks that hold the name; a name in more of them is a common word."""


class Symbol(Struct, frozen=True):
    """A definition, and where it is."""

    path: str
    name: str
    qualified: str
    kind: str
    signature: str
    start_line: int
    end_line: int
    language: str


class Reference(Struct, frozen=True):
    """A line that has the name and does not define it."""

    path: str
    line: int
    text: str
    within: str
    """What it stands in."""


class Symbols(Struct, frozen=True):
    definitions: tuple[Symbol, ...]
    references: tuple[Reference, ...]
    searched: Snapshot


def find_symbols(wanted: str, view: View, k: int, *, library: Library) -> Symbols:
    """Definitions of a name, however it is written (`parseUrl` finds `parse_url`, as it stands
    first), and the lines that mention it as it stands.

    Args:
        wanted: a name, or the end of a qualified one: `Session.send`.
    """
    *above, name = [part for part in re.split(r"\.|::|#|->", wanted.strip()) if part] or [""]
    definitions = _definitions(name, above, view, library) if name else []
    references = list(_references(name, view, library)) if name else []
    defined = {(each.path, each.start_line) for each in definitions}
    return Symbols(
        tuple(definitions[:k]),
        tuple(each for each in references if (each.path, each.line) not in defined)[:k],
        view.snapshot,
    )


def _definitions(name: str, above: list[str], view: View, library: Library) -> list[Symbol]:
    found: dict[tuple[str, int, str], Symbol] = {}
    for file in {match.file for match in _holding(name, "name", view, library)}:
        outlined = view.files[file]
        outline = library.code.outlines([outlined])[outlined.content]
        for each in outline.definitions:
            if each.kind != "container" and _is_it(each, name, above):
                symbol = Symbol(
                    outlined.path,
                    each.name,
                    each.qualified,
                    each.kind,
                    each.signature,
                    each.start_line,
                    each.end_line,
                    outlined.language,
                )
                found[symbol.path, symbol.start_line, symbol.qualified] = symbol
    return sorted(found.values(), key=lambda each: (each.name != name, each.path, each.start_line))


def _is_it(definition: Definition, name: str, above: list[str]) -> bool:
    around = definition.path[:-1][-len(above) :] if above else ()
    return whole_of(definition.name) == whole_of(name) and list(around) == above


def _references(name: str, view: View, library: Library) -> Iterator[Reference]:
    matches = sorted(
        _holding(name, "body", view, library),
        key=lambda match: _code_first(view.files[match.file], match.part),
    )
    files = [view.files[match.file] for match in matches]
    outlines = library.code.outlines(files)
    texts = library.code.texts(files)
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for match, file in zip(matches, files, strict=True):
        chunk = outlines[file.content].chunks[match.part]
        lines = texts[file.content][chunk.start : chunk.end].split("\n")
        for number, line in enumerate(lines, start=chunk.start_line):
            if word.search(line):
                yield Reference(file.path, number, line.strip(), ".".join(chunk.symbol))


def _code_first(file: CodeFile, part: int) -> tuple[bool, str, int]:
    return file.language in DATA, file.path, part


def _holding(name: str, field: str, view: View, library: Library) -> list[Match]:
    term = next(iter(terms_of(name)), None)  # the whole name comes first
    if term is None:
        return []
    return library.code.search(view, Lookup({term: 1.0}, {field: 1.0}, LOOKED_THROUGH))
