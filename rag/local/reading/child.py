"""The loop of every child process: a frame in, a frame out, until the pipe closes."""

import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO

from msgspec import Struct

from rag.errors import DocumentTooLarge, InvalidDocument
from rag.local.reading.frames import Failed, read_frame, write_frame


def serve(answer: Callable[[bytes], Struct], stdin: BinaryIO, stdout: BinaryIO) -> None:
    while (payload := read_frame(stdin)) is not None:
        write_frame(stdout, outcome(answer, payload))


def outcome(answer: Callable[[bytes], Struct], payload: bytes) -> Struct:
    """What `answer` returns, or how it failed. Parsers of hostile bytes raise anything at all,
    and any of it means the same: these bytes cannot be read by this parser."""
    try:
        return answer(payload)
    except InvalidDocument as error:
        return Failed(error.code, str(error))
    except MemoryError:
        return Failed(DocumentTooLarge.code, "reading needs more memory than it is allowed")
    except Exception as error:  # see above: recorded on the item with its place in our code
        message = f"its parser failed on it ({type(error).__name__}); the file may be damaged"
        return Failed(InvalidDocument.code, message, places(error))


def places(error: Exception) -> tuple[str, ...]:
    """File and line of each frame; the exception's own words may quote the document."""
    frames = traceback.extract_tb(error.__traceback__)
    return tuple(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)


def pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output as frames; whatever a library prints goes to standard error."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    return stdin, stdout
