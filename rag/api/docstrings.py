"""The strings below a struct's attributes, which Python drops and documentation wants."""

import ast
import inspect
import textwrap

from msgspec import Struct


def attribute_docs(kind: type[Struct]) -> dict[str, str]:
    """Attribute -> the string below it in the source, on one line; inherited ones included."""
    docs: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if issubclass(each, Struct) and each is not Struct:
            docs |= _own_docs(each)
    return docs


def _own_docs(kind: type[Struct]) -> dict[str, str]:
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    below = zip(definition.body, definition.body[1:], strict=False)
    return {
        statement.target.id: " ".join(following.value.value.split())
        for statement, following in below
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and isinstance(following.value.value, str)
    }
