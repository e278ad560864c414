"""Counting the pages of a PDF and cutting some of them out, in a child process: a file made to
crash its parser takes nothing else down."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import Protocol

from rag.errors import DocumentTooLarge, EncryptedDocument, InvalidDocument
from rag.lifetimes import mortal
from rag.mistral.ocr.numbering import ranges
from rag.mistral.ocr.pdf_status import PdfStatus

_CHILD = "rag.mistral.ocr.pdf_child"

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "TMPDIR")
"""Environment a child needs; everything else, and every secret with it, stays behind."""

_SECONDS = 120.0
"""Of one call; cutting 167 pages out of 250 MB was seen to take two and a half."""

_AT_ONCE = 2
"""Processes: each may hold a document twice."""

_SLICE = 1024 * 1024
"""Bytes handed to the child at a time, so that the document is not copied into a buffer."""

_LONGEST_COUNT = 16
"""Bytes in which the child tells how many pages there are."""


class PdfPages(Protocol):
    """Of PDFs that nobody trusts."""

    async def count(self, content: bytes) -> int:
        """
        Raises:
            EncryptedDocument: a password is needed.
            DocumentTooLarge: counting them takes too long, or too much memory.
            InvalidDocument: it cannot be opened.
        """
        ...

    async def cut(self, content: bytes, numbers: Sequence[int], largest: int) -> bytes | None:
        """A PDF of these pages alone, numbered from 1; None where it has more than `largest`
        bytes.

        Raises:
            As `count` does.
        """
        ...


class ChildPdfPages:
    """A process for each call, which takes about 0.2 s to start; two at a time."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def count(self, content: bytes) -> int:
        async with self._places:
            said = await _asked(content, ("count",), _LONGEST_COUNT)
        if not said or not said.isdigit():
            raise InvalidDocument("its parser answered nonsense; the file may be damaged")
        return int(said)

    async def cut(self, content: bytes, numbers: Sequence[int], largest: int) -> bytes | None:
        async with self._places:
            return await _asked(content, ("cut", str(largest), ranges(numbers)), largest)


async def _asked(content: bytes, arguments: Sequence[str], largest: int) -> bytes | None:
    child = await asyncio.create_subprocess_exec(
        *mortal((sys.executable, "-P", "-m", _CHILD, *arguments)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    )
    try:
        async with asyncio.timeout(_SECONDS):
            _, said = await asyncio.gather(_hand(child, content), _heard(child, largest))
            status = await child.wait()
    except TimeoutError:
        raise DocumentTooLarge(f"its pages were not found within {_SECONDS:.0f} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _verdict(status, said)


async def _hand(child: Process, content: bytes) -> None:
    stdin, view = child.stdin, memoryview(content)
    assert stdin is not None
    try:
        for start in range(0, len(content), _SLICE):
            stdin.write(view[start : start + _SLICE])
            await stdin.drain()
    except OSError:
        return  # it died, and its status says how
    finally:
        stdin.close()


async def _heard(child: Process, largest: int) -> bytes:
    """At most one byte more than `largest`: the child keeps to it, unless a file took it over."""
    stdout, heard = child.stdout, bytearray()
    assert stdout is not None
    while len(heard) <= largest and (piece := await stdout.read(_SLICE)):
        heard += piece
    if len(heard) > largest:
        child.kill()
    return bytes(heard)


def _verdict(status: int, said: bytes) -> bytes | None:
    if status == PdfStatus.DONE:
        return said
    if status == PdfStatus.TOO_LARGE:
        return None
    if status == PdfStatus.ENCRYPTED:
        raise EncryptedDocument("the PDF is encrypted; remove its password")
    if status == PdfStatus.DAMAGED:
        raise InvalidDocument("the PDF cannot be opened; it is damaged or cut short")
    if status in (PdfStatus.OUT_OF_MEMORY, -9, -24):  # SIGKILL by the kernel, SIGXCPU
        raise DocumentTooLarge("finding its pages takes more memory or time than allowed")
    raise InvalidDocument(
        f"its parser crashed (status {status}); the file is damaged or made to do harm"
    )
