"""A message saved by Outlook (MSG) -> a letter with its attachments.

A message is a storage whose streams are named by property and type (MS-OXMSG): the subject is in
`__substg1.0_0037001F`, as UTF-16, or in `..001E`, in the code page of its writer.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rag.local.reading.mail.letters import (
    Attachment,
    Letter,
    body_of_html,
    letter_text,
    named_apart,
    read_letter,
)
from rag.local.reading.mail.packed_rtf import unpack_rtf
from rag.local.reading.packed.compound import Compound
from rag.local.reading.plaintext import decode
from rag.local.reading.readout import Readout
from rag.local.reading.task import Task

STREAM = "__substg1.0_"
PROPERTIES = "__properties_version1.0"
ATTACHMENT, RECIPIENT = "__attach_version1.0_", "__recip_version1.0_"
UNICODE, CODED, BINARY, MESSAGE = "001F", "001E", "0102", "000D"
SUBJECT, BODY, HTML, RTF = "0037", "1000", "1013", "1009"
SENDER, SENDER_ADDRESS, TO, CC = "0C1A", "0C1F", "0E04", "0E03"
DATA, LONG_NAME, NAME, DISPLAY_NAME = "3701", "3707", "3704", "3001"
SENT, DELIVERED, CODE_PAGE = 0x0039, 0x0E06, 0x3FFD
PROPERTY = 16  # bytes
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)  # of Windows; counted in units of 100 ns


def read_msg(file: Compound, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: it is damaged.
    """
    return read_letter(_letter(file, "", task), task)


def _letter(file: Compound, folder: str, task: Task) -> Letter:
    task.allowance.enter()
    message = _Message(file, folder)
    address = message.text(SENDER_ADDRESS)
    sender = message.text(SENDER)
    if "@" in address and address != sender:
        sender = f"{sender} <{address}>".strip()
    headers = (
        ("From", sender),
        ("To", message.text(TO)),
        ("Cc", message.text(CC)),
        ("Date", message.date),
    )
    attachments = named_apart(_attachments(file, folder, task))
    return Letter(message.text(SUBJECT), headers, message.body, tuple(attachments))


class _Message:
    """Properties of a storage."""

    def __init__(self, file: Compound, folder: str) -> None:
        self._file = file
        self._folder = f"{folder}/" if folder else ""
        self._fixed = dict(self._fixed_properties())

    def text(self, property: str) -> str:
        if (found := self.raw(property, UNICODE)) is not None:
            return found.decode("utf-16-le", "replace").strip("\0 \r\n")
        found = self.raw(property, CODED) or b""
        page = struct.unpack("<I4x", self._fixed.get(CODE_PAGE, bytes(8)))[0]
        return decode(found, f"cp{page}", otherwise="latin-1").strip("\0 \r\n") if found else ""

    def raw(self, property: str, kind: str) -> bytes | None:
        path = f"{self._folder}{STREAM}{property}{kind}"
        return self._file.read(path) if path in self._file else None

    @property
    def body(self) -> str:
        if text := self.text(BODY):
            return text
        if html := self.raw(HTML, BINARY):
            return body_of_html(html)
        packed = self.raw(RTF, BINARY)
        return unpack_rtf(packed) if packed else ""

    @property
    def date(self) -> str:
        raw = self._fixed.get(SENT) or self._fixed.get(DELIVERED)
        if raw is None:
            return ""
        try:
            moment = EPOCH + timedelta(microseconds=struct.unpack("<Q", raw)[0] // 10)
        except OverflowError:
            return ""
        return moment.strftime("%Y-%m-%d %H:%M UTC")

    def _fixed_properties(self) -> Iterator[tuple[int, bytes]]:
        """Those of eight bytes and fewer, which stand in one stream behind its header."""
        path = f"{self._folder}{PROPERTIES}"
        if path not in self._file:
            return
        content = self._file.read(path)
        for at in range(len(content) % PROPERTY, len(content), PROPERTY):
            yield struct.unpack_from("<H", content, at + 2)[0], content[at + 8 : at + 16]


def _attachments(file: Compound, folder: str, task: Task) -> Iterator[Attachment]:
    start = f"{folder}/{ATTACHMENT}" if folder else ATTACHMENT
    inner = f"{STREAM}{DATA}{MESSAGE}"
    for path in sorted(p for p in file.paths if p.startswith(start) and "/" not in p[len(start) :]):
        attached = _Message(file, path)
        name = attached.text(LONG_NAME) or attached.text(NAME) or attached.text(DISPLAY_NAME)
        if (content := attached.raw(DATA, BINARY)) is not None:
            yield Attachment(name, content)
        elif f"{path}/{inner}" in file:
            letter = _letter(file, f"{path}/{inner}", task)
            title = letter.subject or name or "forwarded message"
            yield Attachment(f"{title}.md", letter_text(letter).text.encode())
            yield from letter.attachments
