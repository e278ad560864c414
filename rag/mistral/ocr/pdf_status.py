"""How the child process that opens PDFs ends."""

from enum import IntEnum


class PdfStatus(IntEnum):
    """Exit statuses; 1 and 2 are Python's own."""

    DONE = 0
    ENCRYPTED = 3
    DAMAGED = 4
    TOO_LARGE = 5
    """The part that was cut out has more bytes than asked for."""
    OUT_OF_MEMORY = 6
