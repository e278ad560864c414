"""What a file says of itself -> attributes of its document, which filters use.

`author`, `created` and `modified` of PDFs, Office files, OpenDocument and books; `sender`, `to`,
`subject` and `sent` of mails. Moments are RFC 3339 in UTC, of one width, so that they sort as text;
what is no moment is left out.
"""

import re
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime

from rag.domain import Attribute

LONGEST = 300  # characters; of papers by many, the file names them all
MOST_ADDRESSEES = 50
PDF_DATE = re.compile(
    r"D?:?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+-])(\d\d)'?(\d\d)?'?|Z.*)?"
)


def by(author: str | None) -> dict[str, Attribute]:
    """An attribute of whoever a file says has written it."""
    return _known(author=_name(author))


def dated(created: str | None, modified: str | None = None) -> dict[str, Attribute]:
    """Of moments as XML has them (ISO 8601)."""
    return _known(created=_moment(created), modified=_moment(modified))


def dated_in_pdf(created: str | None, modified: str | None) -> dict[str, Attribute]:
    """Of moments as PDF has them: `D:20240131120000+01'00'`."""
    return _known(created=_pdf_moment(created), modified=_pdf_moment(modified))


def mailed(sender: str, to: str, subject: str, sent: str) -> dict[str, Attribute]:
    """Of headers, decoded."""
    named = (_name(f"{name} <{at}>" if name and at else name or at) for name, at in _split(to))
    addressees = tuple(each for each in named if each)[:MOST_ADDRESSEES]
    return _known(
        sender=_name(sender),
        to=addressees or None,
        subject=_name(subject),
        sent=_mail_moment(sent) or _moment(sent.removesuffix(" UTC").replace(" ", "T")),
    )


def _known(**facts: Attribute) -> dict[str, Attribute]:
    return {name: value for name, value in facts.items() if value is not None}


def _name(text: str | None) -> str | None:
    name = " ".join((text or "").split())
    return name if name.isprintable() and 0 < len(name) <= LONGEST else None


def _split(addresses: str) -> list[tuple[str, str]]:
    """Names that are no addresses are parted by semicolons, as Outlook writes them."""
    if "@" not in addresses:
        return [(each, "") for each in addresses.split(";")]
    return getaddresses([addresses])


def _moment(text: str | None) -> str | None:
    try:
        return _written(datetime.fromisoformat((text or "").strip()))
    except ValueError:
        return None


def _mail_moment(text: str) -> str | None:
    try:
        return _written(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _pdf_moment(text: str | None) -> str | None:
    found = PDF_DATE.fullmatch((text or "").strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, sign, off_hours, off_minutes = found.groups()
    zone = f"{sign}{off_hours}:{off_minutes or '00'}" if sign else "+00:00"
    date = f"{year}-{month or '01'}-{day or '01'}"
    return _moment(f"{date}T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}")


def _written(moment: datetime) -> str | None:
    """What names no zone is taken as UTC: the day is right more often than not."""
    try:
        known = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    return known.isoformat(timespec="seconds").replace("+00:00", "Z")
