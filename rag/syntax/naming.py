"""What a defining node is called. Most grammars say `name:`; the others are dealt with singly."""

import re
from collections.abc import Iterator

from tree_sitter import Node

_FIELDS = ("name", "declarator", "left", "key", "pattern", "type", "variable")
"""Where a name is looked for, first to last: `declarator` is C's, `left` an assignment's, `key` an
object's, `pattern` Scala's and Swift's, `type` that of an `impl`."""

_IDENTIFIER = re.compile(r"identifier|constant|^name$|^variable$|^alias$|_name$|^simple_symbol$")
_SEPARATORS = re.compile(r"::|\.|:|#|\\")
_DEEPEST = 6  # declarators within declarators that are followed: pointers, references, functions
_LONGEST = 120  # characters of a name; a longer one is an expression
SIGNATURE = 300  # characters of a signature that are kept


def name_parts(node: Node) -> tuple[str, ...]:
    """`("Server", "listen")` for `Server::listen` or `Server.listen`; empty where it has none."""
    named = _elixir_name(node) if node.type == "call" else _named(node, _DEEPEST)
    if named is None:
        return ()
    text = _text(named)
    if len(text) > _LONGEST or "\n" in text:
        return ()
    parts = [part.strip("$\"'` ") for part in _SEPARATORS.split(text)]
    return (*_receiver(node), *(part for part in parts if part))


def signature(node: Node) -> str:
    """What stands before the body; the first line of what has none."""
    body = node.child_by_field_name("body") or _block(node)
    content = node.text or b""
    if body is None:
        head = content.split(b"\n", 1)[0]
    else:
        head = content[: body.start_byte - node.start_byte]
    return " ".join(head[: 4 * SIGNATURE].decode(errors="ignore").split())[:SIGNATURE].rstrip("{ ")


def _named(node: Node, depth: int) -> Node | None:
    """The innermost node that is only a name."""
    for field in _FIELDS:
        inner = node.child_by_field_name(field)
        if inner is not None and depth:
            return inner if not inner.named_child_count else _within(inner, depth) or inner
    return next(
        (found for child in node.named_children[:4] if (found := _leaf(child)) is not None), None
    )


def _within(node: Node, depth: int) -> Node | None:
    """What is named inside a declarator; a qualified name is taken whole."""
    if node.type in {"reference_declarator", "parenthesized_declarator"}:  # theirs has no field
        inner = node.named_children[-1]
        return _within(inner, depth - 1) or inner
    if "declarator" in node.type or node.type.startswith("generic") or "pattern" in node.type:
        return _named(node, depth - 1)
    return None


def _leaf(node: Node) -> Node | None:
    if _IDENTIFIER.search(node.type):
        return node
    if node.type in {"variable_declaration", "assignment_statement", "variable_list", "string"}:
        inner = (_leaf(child) for child in node.named_children[:2])
        return node if node.type == "string" else next((each for each in inner if each), None)
    return None


def _elixir_name(node: Node) -> Node | None:
    """Definitions are calls there: `def name(argument) when guard do`."""
    arguments = next((child for child in node.children if child.type == "arguments"), None)
    named = arguments.named_children[0] if arguments and arguments.named_children else None
    while named is not None and named.type in {"binary_operator", "call"}:
        inner = named.child_by_field_name("left") or named.child_by_field_name("target")
        if inner is None:
            return None
        named = inner
    return named


def _receiver(node: Node) -> tuple[str, ...]:
    """The type that a Go method belongs to."""
    receiver = node.child_by_field_name("receiver") if node.type == "method_declaration" else None
    if receiver is None:
        return ()
    types = (each for each in _descendants(receiver) if each.type == "type_identifier")
    return tuple(_text(each) for each in list(types)[:1])


def _descendants(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        yield child
        yield from _descendants(child)


def _block(node: Node) -> Node | None:
    kinds = ("body", "block", "declaration_list")
    return next((child for child in node.children if child.type.endswith(kinds)), None)


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="ignore")
