"""Grammars, loaded when the first file in their language comes along."""

import importlib
from functools import cache

from msgspec import Struct
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from rag.syntax.languages import GRAMMARS
from rag.syntax.patterns import PATTERNS


class Parsed(Struct, frozen=True):
    """A file's tree, and the nodes that its language's patterns name."""

    root: Node
    captures: dict[str, list[Node]]
    """By kind, in no order."""


def has_grammar(language: str) -> bool:
    return language in GRAMMARS


def parse(language: str, content: bytes) -> Parsed:
    """A tree there always is: what the grammar does not know becomes an error node in it.

    Args:
        language: one that has a grammar.
        content: UTF-8.
    """
    grammar, query = _loaded(language)
    root = Parser(grammar).parse(content).root_node
    return Parsed(root, QueryCursor(query).captures(root))


@cache
def _loaded(language: str) -> tuple[Language, Query]:
    module, function = GRAMMARS[language]
    grammar = Language(getattr(importlib.import_module(module), function)())
    return grammar, Query(grammar, PATTERNS[language])
