"""A notebook (Jupyter) -> its cells: prose, code, and what the code printed."""

import re
from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from msgspec import Struct

from rag.errors import InvalidDocument
from rag.local.reading.plaintext import decode
from rag.local.reading.readout import Readout, marked
from rag.local.reading.task import Task

Source: TypeAlias = str | list[str]

LONGEST_OUTPUT = 4_000  # characters of one output; more is a log that nobody reads
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Output(Struct, frozen=True):
    text: Source = ""
    data: dict[str, object] = {}


class Cell(Struct, frozen=True):
    cell_type: str
    source: Source = ""
    outputs: list[Output] = []
    input: Source = ""
    """What version 3 calls the source of a cell with code."""


class Sheet(Struct, frozen=True):
    cells: list[Cell] = []


class Language(Struct, frozen=True):
    name: str = ""


class Metadata(Struct, frozen=True):
    language_info: Language = Language()
    title: str | None = None


class Notebook(Struct, frozen=True):
    cells: list[Cell] = []
    worksheets: list[Sheet] = []
    """Of version 3."""
    metadata: Metadata = Metadata()


def read_notebook(content: bytes, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: it is no notebook.
    """
    try:
        notebook = msgspec.json.decode(decode(content), type=Notebook)
    except msgspec.DecodeError as error:
        raise InvalidDocument("this notebook is damaged: it is not what Jupyter writes") from error
    cells = [*notebook.cells, *(cell for sheet in notebook.worksheets for cell in sheet.cells)]
    language = notebook.metadata.language_info.name
    blocks = (block for cell in cells for block in _blocks(cell, language))
    return marked("\n\n".join(filter(None, blocks)) + "\n", notebook.metadata.title)


def _blocks(cell: Cell, language: str) -> Iterator[str]:
    source = _text(cell.source) or _text(cell.input)
    if cell.cell_type != "code":
        yield source.strip()
        return
    yield _fenced(source, language)
    for output in cell.outputs:
        printed = _text(output.text) or _text(output.data.get("text/plain", ""))
        yield _fenced(ANSI.sub("", printed)[:LONGEST_OUTPUT], "")


def _text(source: object) -> str:
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str))


def _fenced(code: str, language: str) -> str:
    code = code.strip("\n")
    if not code.strip():
        return ""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{fence}{language}\n{code}\n{fence}"
