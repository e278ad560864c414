"""What a site asks of robots (RFC 9309): its /robots.txt -> which pages we may visit."""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from rag.errors import AddressRefused
from rag.sources.web.addresses import parse_address

PRODUCT = "rag"
"""Our name in a group's `User-agent` line."""

READ = 500 * 1024  # bytes; a robot must read so many, and need not read more
LONGEST_DELAY = 30.0  # seconds between two pages; who asks for more is visited less politely

_PRODUCT = re.compile(r"[A-Za-z_-]+")


class Robots(Struct, frozen=True):
    """What is asked of us."""

    rules: tuple[tuple[str, bool], ...] = ()
    """Patterns of paths, and whether they are allowed."""
    delay: float = 0.0
    """Seconds between two pages."""

    def allow(self, target: str) -> bool:
        """By the longest pattern that matches; of equal ones, by the one that allows."""
        if target == "/robots.txt":
            return True
        fitting = [(len(p), allowed) for p, allowed in self.rules if _matches(p, target)]
        return max(fitting, default=(0, True))[1]


EVERYTHING = Robots()
NOTHING = Robots((("/", False),))


class _Group(Struct):
    agents: list[str]
    rules: list[tuple[str, bool]]
    delay: float = 0.0


def parse_robots(content: bytes) -> Robots:
    """All groups that name us, as one; else all that are for everyone."""
    groups = _groups(_lines(content))
    ours = [group for group in groups if PRODUCT in group.agents]
    chosen = ours or [group for group in groups if "*" in group.agents]
    return Robots(
        tuple(rule for group in chosen for rule in group.rules),
        max((group.delay for group in chosen), default=0.0),
    )


def _lines(content: bytes) -> Iterator[tuple[str, str]]:
    text = content[:READ].decode("utf-8-sig", errors="replace")
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _groups(lines: Iterable[tuple[str, str]]) -> list[_Group]:
    groups: list[_Group] = []
    is_begun = False
    for name, value in lines:
        if name == "user-agent":
            if not groups or is_begun:
                groups.append(_Group([], []))
                is_begun = False
            product = _PRODUCT.match(value)
            groups[-1].agents.append(product[0].lower() if product else value)
        elif groups and name in ("allow", "disallow"):
            is_begun = True
            if value:  # an empty one matches nothing
                groups[-1].rules.append((_normal(value), name == "allow"))
        elif groups and name == "crawl-delay":  # not in the RFC, and asked for all the same
            is_begun = True
            groups[-1].delay = _seconds(value)
    return groups


def _seconds(text: str) -> float:
    return min(float(text), LONGEST_DELAY) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) else 0.0


def _normal(pattern: str) -> str:
    """Encoded as addresses are, so that both can be compared letter by letter."""
    try:
        target = parse_address("http://x.org/" + pattern.removeprefix("/")).target
    except AddressRefused:
        return pattern
    return target if pattern.startswith("/") else target.removeprefix("/")


def _matches(pattern: str, target: str) -> bool:
    """From the start; `*` is anything, and `$` at the end is the end. In linear time."""
    is_whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not target.startswith(first):
        return False
    if not others:
        return not is_whole or target == first
    at = len(first)
    for part in others[:-1]:
        found = target.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    last = others[-1]
    return (
        target.endswith(last) and len(target) - len(last) >= at
        if is_whole
        else (target.find(last, at) >= 0)
    )
