"""A manifest: JSON lines that say what to ingest, under which key, and what is known of it.

{"path": "scans/a.pdf", "key": "letters/a", "title": "Letter", "attributes": {"year": 1904}}
{"url": "https://example.org/page", "attributes": {"tags": ["web"]}}
"""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from rag.domain import Attribute
from rag.errors import InvalidRequest
from rag.sources.folder import WEB, distinct, key_of_file
from rag.sources.found import Address, Findings, Found, Root, joined
from rag.sources.walking import shown, trouble_with
from rag.sources.web.addresses import parse_address

LONGEST_TITLE = 200  # characters that are kept of a title


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A line: a file or a web page."""

    path: str | None = None
    """Relative to the manifest, or absolute."""
    url: str | None = None
    key: Annotated[str, Meta(min_length=1)] | None = None
    """As written in `path`, or the normal form of `url`, where it is missing."""
    title: Annotated[str, Meta(min_length=1, max_length=LONGEST_TITLE)] | None = None
    attributes: dict[str, Attribute] = {}


def read_manifest(manifest: Path) -> Findings:
    """
    Raises:
        InvalidRequest: it cannot be read, or a line of it is no entry, or two have one key.
    """
    try:
        lines = manifest.read_bytes().splitlines()
    except OSError as error:
        raise InvalidRequest(f"{manifest} cannot be read: {error.strerror}") from error
    root = Root(shown(str(manifest.resolve())), None, whole=True)
    looks = [Findings(roots=(root,))]
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                looks.append(_sought(msgspec.json.decode(line, type=Entry), manifest, root))
            except (msgspec.DecodeError, InvalidRequest) as error:
                raise InvalidRequest(f"{manifest}, line {number}: {error}") from error
    return distinct(joined(looks))


def _sought(entry: Entry, manifest: Path, root: Root) -> Findings:
    if entry.url is not None and entry.path is None:
        if not entry.url.startswith(WEB):
            raise InvalidRequest(f"no address of a web page: {entry.url}")
        key = entry.key or str(parse_address(entry.url))
        page = Address(key, entry.url, root.name, entry.title, entry.attributes)
        return Findings(addresses=(page,))
    if entry.path is None or entry.url is not None:
        raise InvalidRequest('it needs either a "path" or a "url"')
    key = entry.key or key_of_file(Path(entry.path))
    if not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise InvalidRequest(f"a key is a relative path such as notes/a.md, not {key!r}")
    path = manifest.parent / entry.path
    if trouble := trouble_with(key, path):
        return Findings(troubles=(trouble,))
    return Findings(files=(Found(key, path, root.name, entry.title, entry.attributes),))
