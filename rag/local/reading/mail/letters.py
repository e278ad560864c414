"""A letter, whatever file it came in, and how it reads."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Attribute
from rag.errors import EmptyDocument
from rag.local.reading.facts import mailed
from rag.local.reading.html import read_html
from rag.local.reading.readout import BETWEEN_PIECES, Part, Readout, joined, marked
from rag.local.reading.task import Task


class Attachment(Struct, frozen=True):
    name: str
    content: bytes


class Letter(Struct, frozen=True):
    subject: str
    headers: tuple[tuple[str, str], ...]
    """Those that a person looks at, in order: `From`, `To`, `Cc`, `Date`."""
    body: str
    """As markdown, or as it was typed."""
    attachments: tuple[Attachment, ...] = ()


BODY_NAME = "message"


def read_letter(letter: Letter, task: Task) -> Readout:
    """The letter alone has lines; one with attachments has pages: itself, and theirs."""
    whole = letter_text(letter)
    if not letter.attachments:
        return replace(whole, attributes=_facts(letter))
    attached = [
        task.read_part(each.name, each.content, "an attachment") for each in letter.attachments
    ]
    parts = [Part(letter.subject or BODY_NAME, _without_heading(letter), "the message"), *attached]
    return replace(joined(parts, letter.subject or None), attributes=_facts(letter))


def _facts(letter: Letter) -> dict[str, Attribute]:
    headers = dict(letter.headers)
    sender, to, sent = (headers.get(name, "") for name in ("From", "To", "Date"))
    return mailed(sender, to, letter.subject, sent)


def letter_text(letter: Letter) -> Readout:
    heading = f"# {letter.subject}" if letter.subject else ""
    return marked("\n\n".join(filter(None, (heading, _told(letter)))), letter.subject or None)


def _without_heading(letter: Letter) -> Readout:
    return marked(_told(letter))


def _told(letter: Letter) -> str:
    """Who wrote to whom and when, and what."""
    headers = "\n".join(f"{name}: {value}" for name, value in letter.headers if value)
    return BETWEEN_PIECES.join(filter(None, (headers, letter.body.strip())))


def body_of_html(content: bytes) -> str:
    """As markdown; empty where there is nothing in it."""
    try:
        return read_html(content).markdown
    except EmptyDocument:
        return ""


def named_apart(attachments: Iterable[Attachment]) -> Iterator[Attachment]:
    """With a number behind names that come again, or are missing."""
    seen: dict[str, int] = {}
    for each in attachments:
        name = " ".join(each.name.replace("\\", "/").rpartition("/")[2].split()) or "attachment"
        seen[name] = count = seen.get(name, 0) + 1
        yield Attachment(name if count == 1 else f"{name} ({count})", each.content)
