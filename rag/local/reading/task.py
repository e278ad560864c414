"""What a reader is given besides the bytes."""

from collections.abc import Callable

from msgspec import Struct

from rag.local.reading.allowance import Allowance
from rag.local.reading.layout import Recognize
from rag.local.reading.limits import Limits
from rag.local.reading.readout import Part


class Task(Struct, frozen=True):
    name: str
    """Of the file."""
    limits: Limits
    allowance: Allowance
    """Shared with everything that is packed together with it."""
    recognize: Recognize
    read_part: Callable[[str, bytes, str], Part]
    """Name and bytes of a file within this one, and how it came to be there: by the reader of its
    kind, or why it cannot be read."""
    depth: int = 0
    """How many files it is within."""
