"""What is known of a file of code: the chunks it is cut into, and the names it defines."""

from msgspec import Struct


class Definition(Struct, frozen=True):
    """Something that the file gives a name."""

    kind: str
    """`class`, `function`, `method`, `type`, `constant` ... `container` has members and no name of
    its own (`impl`, `extension`)."""
    name: str
    path: tuple[str, ...]
    """Names it stands in, outermost first, and its own."""
    signature: str
    """What stands before its body, on one line."""
    start_line: int
    end_line: int
    """First and last, from 1."""

    @property
    def qualified(self) -> str:
        return ".".join(self.path)


class CodeChunk(Struct, frozen=True):
    """Whole lines of a file. The chunks of a file follow each other and leave nothing out."""

    start: int
    end: int
    """`text[start:end]` of the file, in characters."""
    start_line: int
    end_line: int
    symbol: tuple[str, ...] = ()
    """Path of what is defined here, or goes on here; of the largest where there are several."""
    kind: str = ""
    signature: str = ""
    """Of `symbol`."""
    defines: tuple[str, ...] = ()
    """Names whose definitions begin here."""
    prose: tuple[tuple[int, int], ...] = ()
    """Spans of comments and documentation within the file's text."""


class Outline(Struct, frozen=True):
    language: str
    chunks: tuple[CodeChunk, ...]
    definitions: tuple[Definition, ...] = ()
    """In the order of the file."""
