"""E-mail as it is sent (RFC 5322, MIME) -> a letter with its attachments."""

import email
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

from rag.errors import EmptyDocument, EncryptedDocument
from rag.local.reading.mail.letters import (
    Attachment,
    Letter,
    body_of_html,
    named_apart,
    read_letter,
)
from rag.local.reading.plaintext import decode
from rag.local.reading.readout import Readout
from rag.local.reading.task import Task

SHOWN = ("From", "To", "Cc", "Date")
ENCRYPTED = frozenset(("multipart/encrypted", "application/pgp-encrypted"))
SEALED = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
SIGNATURES = frozenset(
    ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
)
LONGEST_HEADER = 10_000  # characters; decoding a longer one takes time that grows faster than it
SUFFIXES = {"text/html": ".html", "text/plain": ".txt", "text/calendar": ".ics"}


def read_eml(content: bytes, task: Task) -> Readout:
    """
    Raises:
        EncryptedDocument: only its addressee can read it.
        EmptyDocument: there is nothing in it.
    """
    return read_letter(letter_of(content, task), task)


def letter_of(content: bytes, task: Task) -> Letter:
    message = email.message_from_bytes(content)
    bodies: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(message, task):
        if body := _body(part, is_first=not bodies):
            bodies.append(body)
        elif (attachment := _attachment(part)) is not None:
            attachments.append(attachment)
    headers = tuple((name, _header(message, name)) for name in SHOWN)
    letter = Letter(
        _header(message, "Subject"), headers, "\n\n".join(bodies), tuple(named_apart(attachments))
    )
    if not letter.subject and not bodies and not attachments:
        raise EmptyDocument("there is no text in this e-mail")
    return letter


def _leaves(message: Message, task: Task) -> Iterator[Message]:
    """Parts that are not parts themselves; of alternatives the one that is read best."""
    task.allowance.enter()
    kind = message.get_content_type()
    if kind in ENCRYPTED or (kind in SEALED and message.get_param("smime-type") != "signed-data"):
        raise EncryptedDocument("this e-mail is encrypted; save it decrypted")
    if kind == "message/rfc822" or not message.is_multipart():
        yield message
        return
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    if kind == "multipart/alternative":
        parts = _best(parts)
    for part in parts:
        yield from _leaves(part, task)


def _best(alternatives: list[Message]) -> list[Message]:
    """Plain text where it says anything: the others say the same with more noise."""
    for part in alternatives:
        if part.get_content_type() == "text/plain" and _text(part).strip():
            return [part]
    return alternatives[-1:]


def _body(part: Message, *, is_first: bool) -> str:
    """Empty for an attachment."""
    kind = part.get_content_type()
    is_attached = part.get_content_disposition() == "attachment" or (
        part.get_filename() is not None and not is_first
    )
    if is_attached or kind not in ("text/plain", "text/html"):
        return ""
    text = _text(part)
    return body_of_html(text.encode()) if kind == "text/html" and text.strip() else text


def _text(part: Message) -> str:
    return decode(_bytes(part), part.get_content_charset(), otherwise="latin-1")


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachment(part: Message) -> Attachment | None:
    kind = part.get_content_type()
    if kind in SIGNATURES:
        return None
    if kind == "message/rfc822":
        return _forwarded(part)
    content = _bytes(part)
    name = _filename(part) or "attachment" + SUFFIXES.get(kind, "")
    return Attachment(name, content) if content.strip() else None


def _forwarded(part: Message) -> Attachment | None:
    inner = part.get_payload()
    message = inner[0] if isinstance(inner, list) and inner else None
    if not isinstance(message, Message):
        return None
    name = _filename(part) or _header(message, "Subject") or "forwarded message"
    return Attachment(name.removesuffix(".eml") + ".eml", message.as_bytes())


def _filename(part: Message) -> str:
    try:
        return _decoded(part.get_filename() or "")
    except (LookupError, UnicodeError, ValueError, TypeError):
        return ""


def _header(message: Message, name: str) -> str:
    return " ".join(_decoded(str(message.get(name, ""))).split())


def _decoded(header: str) -> str:
    header = header[:LONGEST_HEADER]
    try:
        return re.sub(r"[\ud800-\udfff]", "\ufffd", str(make_header(decode_header(header))))
    except (LookupError, UnicodeError, ValueError, MessageError):
        return header.encode("utf-8", "replace").decode()
