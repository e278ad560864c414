"""What a caller calls a document -> the key it is kept under."""

import re
import unicodedata

from rag.errors import InvalidRequest

_ADDRESS = re.compile(r"/*(https?:)/+([^/].*)")
"""A path parameter begins with a slash, and a proxy may have made one of two."""

MAX_KEY = 1024  # characters; a path of more is a mistake, and indexes of keys stay small


def normalized_key(name: str) -> str:
    """A relative path with `/`: `/a//./b.md` is `a/b.md`. The address of a page stays as it is.

    Raises:
        InvalidRequest: it is empty, too long, climbs with `..`, or holds control characters.
    """
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise InvalidRequest("a key may not hold control characters or halves of characters")
    address = _ADDRESS.fullmatch(name)
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if not parts:
        raise InvalidRequest("a document needs a key: a name such as notes/monday.md")
    key = f"{address[1]}//{address[2]}" if address else "/".join(parts)
    if ".." in parts:
        raise InvalidRequest(f"a key may not climb with '..': {key[:MAX_KEY]!r}")
    if len(key) > MAX_KEY:
        raise InvalidRequest(f"a key has at most {MAX_KEY} characters, this one {len(key)}")
    return key
