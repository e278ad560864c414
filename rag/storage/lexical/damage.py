"""What is raised instead of an answer from a damaged word index."""

from collections.abc import Iterator
from contextlib import contextmanager

PANIC = "PanicException"
"""Of pyo3, which has no name that could be imported. It is no Exception: untold, it would end the
thread that it happens in."""


class WordsDamaged(Exception):
    """tantivy failed on its own files. The texts are in SQL: build it again from there."""


@contextmanager
def damage_told() -> Iterator[None]:
    """tantivy raises ValueError where it notices that a file is not what it wrote, and panics where
    it does not.

    Raises:
        WordsDamaged: it did either; a full disk is told so too.
    """
    try:
        yield
    except ValueError as error:
        raise WordsDamaged(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise WordsDamaged(f"tantivy panicked: {error}") from error
