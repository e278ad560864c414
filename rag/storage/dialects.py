"""What the two databases say in different words."""

from typing import Any

from sqlalchemy import Boolean, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

CodePoints = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by code point, as Python sorts it, whatever the database's language is."""


class by_code_point(FunctionElement[str]):  # noqa: N801 - read as a function
    """A text, to be compared by code point."""

    name = "by_code_point"
    inherit_cache = True
    type = Text()


class holds(FunctionElement[bool]):  # noqa: N801 - read as a function
    """Whether the first text has the second somewhere in it, case and all."""

    name = "holds"
    inherit_cache = True
    type = Boolean()


@compiles(by_code_point)
def _as_it_is(element: by_code_point, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(by_code_point, "postgresql")
def _collated(element: by_code_point, compiler: SQLCompiler, **kw: Any) -> str:
    return f'({compiler.process(element.clauses, **kw)} COLLATE "C")'


@compiles(holds)
def _instr(element: holds, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **kw)}) > 0)"


@compiles(holds, "postgresql")
def _strpos(element: holds, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **kw)}) > 0)"
