"""Imports go down, never up, never sideways between adapters, never inside a function."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FLOORS = [
    {"domain", "errors", "sentences"},
    {"syntax"},
    {
        "chunking",
        "ranking",
        "grounding",
        "lifetimes",
        "pages",
        "signing",
        "spending",
        "trees",
        "verbatim",
    },
    {"evaluation", "questions"},
    {"ports"},
    {"mistral", "local", "sources", "storage"},
    {"pausing"},
    {
        "ingestion",
        "fetching",
        "retrieval",
        "calibration",
        "holding",
        "telling",
        "routing",
        "codebase",
        "browsing",
    },
    {"gathering"},
    {"exploring"},
    {
        "answering",
        "buying",
        "comparing",
        "estimation",
        "picturing",
        "unpacking",
        "verifying",
        "visiting",
    },
    {"reindexing"},
    {"worker"},
    {"settings"},
    {"providers", "sentence_models"},
    {"wiring"},
    {"api"},
    {"cli"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
PURE = {
    "sentences",
    "chunking",
    "ranking",
    "grounding",
    "evaluation",
    "questions",
    "syntax",
    "trees",
    "verbatim",
}
PACKAGE = Path(__file__).parents[1] / "rag"
FILES = sorted(PACKAGE.rglob("*.py"))


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "rag":
                yield from (f"rag.{alias.name}" for alias in node.names)
            elif node.module:
                yield node.module


def imported_rooms(tree: ast.AST) -> set[str]:
    return {m.split(".")[1] for m in imported_modules(tree) if m.startswith("rag.")} & set(FLOOR)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    if room in {"__init__", "__main__"}:
        return

    wrong = {
        other
        for other in imported_rooms(ast.parse(path.read_text())) - {room}
        if FLOOR[other] >= FLOOR[room]
        # the two nouns files are one floor; errors stands alone and domain may name an error
        and (room, other) != ("domain", "errors")
    }

    assert not wrong, f"{room} may not import {wrong}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_our_own_modules_are_imported_at_the_top(path: Path) -> None:
    hidden = [
        module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for module in imported_modules(node)
        if module.startswith("rag.")
    ]

    assert not hidden


@pytest.mark.parametrize(
    "path", [p for p in FILES if room_of(p) in PURE], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_pure_rooms_reach_for_nothing_outside(path: Path) -> None:
    outside = {module.split(".")[0] for module in imported_modules(ast.parse(path.read_text()))} & {
        "os",
        "pathlib",
        "socket",
        "httpx",
        "sqlalchemy",
        "asyncio",
        "time",
        "random",
        "faiss",
    }

    assert not outside


DOORS = ("mistral/", "sources/web/", "cli/")
"""Rooms that speak to others: providers that the operator names; the web, by the rules of what may
be fetched; and the service itself."""
CLIENTS = {"httpx", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "ftplib"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nobody_else_speaks_to_other_hosts(path: Path) -> None:
    """A second way to fetch an address would be one without its guard."""
    if path.relative_to(PACKAGE).as_posix().startswith(DOORS):
        return

    assert not set(imported_modules(ast.parse(path.read_text()))) & CLIENTS


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(path) for path in FILES} - {"__init__", "__main__"}

    assert rooms <= set(FLOOR)
