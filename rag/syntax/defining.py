"""Nodes -> definitions, each knowing the names it stands in."""

from collections.abc import Iterator

from tree_sitter import Node

from rag.syntax.grammars import Parsed
from rag.syntax.naming import name_parts, signature
from rag.syntax.outline import Definition

NOT_DEFINITIONS = frozenset({"comment", "keyword"})
_LOCAL = frozenset({"variable", "constant"})
_ROUTINES = frozenset({"function", "method", "macro", "test"})


def definitions(parsed: Parsed) -> Iterator[tuple[Node, Definition]]:
    """In the order of the file; the variables of functions are left out."""
    open: list[tuple[Node, Definition]] = []
    for node, kind in _in_order(parsed):
        while open and open[-1][0].end_byte <= node.start_byte:
            open.pop()
        around = open[-1][1] if open else None
        if kind in _LOCAL and any(each.kind in _ROUTINES for _, each in open):
            continue
        parts = name_parts(node)
        if not parts:
            continue
        above = around.path if around else ()
        definition = Definition(
            kind,
            parts[-1],
            (*above, *parts),
            signature(node),
            node.start_point.row + 1,
            _last_row(node) + 1,
        )
        open.append((node, definition))
        yield node, definition


def _in_order(parsed: Parsed) -> list[tuple[Node, str]]:
    """Each node once: some match two patterns, and the first one to name it decides."""
    kinds: dict[int, tuple[Node, str]] = {}
    for kind, nodes in parsed.captures.items():
        if kind not in NOT_DEFINITIONS:
            for node in nodes:
                kinds.setdefault(node.id, (node, kind))
    return sorted(kinds.values(), key=lambda each: (each[0].start_byte, -each[0].end_byte))


def _last_row(node: Node) -> int:
    end = node.end_point
    return end.row - 1 if end.column == 0 and end.row > node.start_point.row else end.row
