"""Where a page or a sitemap leads.

By patterns whose time grows with the text alone: these are strangers' bytes, and are looked at
here, in the service's own process. A link that stands in odd markup may be missed.
"""

import gzip
import html
import io
import re
import zlib
from collections.abc import Iterator

from rag.errors import AddressRefused
from rag.sources.web.addresses import WebAddress, join, parse_address

LOOKED_AT = 2 * 1024 * 1024
"""Bytes of a page; navigation stands at its start."""
SITEMAP = 50 * 1024 * 1024  # bytes, the protocol's own limit
MOST = 50_000  # addresses of one page or sitemap, the protocol's own limit

_TAG = re.compile(r"<(a|area|base|meta)\s([^<>]{1,4000})>", re.I)
_ATTRIBUTE = re.compile(r"""([a-z-]{1,20})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_LOCATION = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?([^<\]]{1,8000})(?:\]\]>)?\s*</loc>", re.I)
_SITEMAP = re.compile(rb"<(urlset|sitemapindex)\b")


def links(content: bytes, page: WebAddress) -> list[WebAddress]:
    """To other pages, in their order, each once; none where the page asks that none be followed."""
    text = content[:LOOKED_AT].decode("utf-8", errors="replace")
    found: dict[WebAddress, None] = {}
    base = page
    for tag, attributes in _tags(text):
        if tag == "meta":
            asked = attributes.get("content", "").lower()
            if attributes.get("name", "").lower() == "robots" and _refuses(asked):
                return []
            continue
        to = _joined(base, attributes.get("href"))
        if to is None:
            continue
        if tag == "base":
            base = to
        elif "nofollow" not in attributes.get("rel", "").lower() and len(found) < MOST:
            found[to] = None
    return [to for to in found if to != page]


def is_sitemap(content: bytes) -> bool:
    return _SITEMAP.search(_plain(content, 4_096)) is not None


def is_index(content: bytes) -> bool:
    """Whether a sitemap lists sitemaps, not pages."""
    kind = _SITEMAP.search(_plain(content, 4_096))
    return kind is not None and kind[1] == b"sitemapindex"


def listed(content: bytes) -> list[WebAddress]:
    """What a sitemap lists; what is no address is left out."""
    text = _plain(content, SITEMAP).decode("utf-8", errors="replace")
    found: dict[WebAddress, None] = {}
    for location in _LOCATION.finditer(text):
        try:
            found[parse_address(html.unescape(location[1]).strip())] = None
        except AddressRefused:
            continue
        if len(found) == MOST:
            break
    return list(found)


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for tag in _TAG.finditer(text):
        attributes = {
            name.lower(): html.unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(tag[2])
        }
        yield tag[1].lower(), attributes


def _refuses(asked: str) -> bool:
    return "nofollow" in asked or "none" in asked


def _joined(base: WebAddress, reference: str | None) -> WebAddress | None:
    if reference is None:
        return None
    try:
        return join(base, reference.strip())
    except AddressRefused:
        return None


def _plain(content: bytes, most: int) -> bytes:
    """The first bytes of what may be a gzipped file."""
    if not content.startswith(b"\x1f\x8b"):
        return content[:most]
    try:
        with gzip.open(io.BytesIO(content)) as file:
            return file.read(most)
    except (OSError, EOFError, zlib.error):
        return b""
