"""The links of a page. The provider lists their targets, and does not say where they stand."""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

_KEPT = re.compile(r"(?:https?://|mailto:)[^\s](?:.*[^\s])?", re.IGNORECASE)
"""Where a link may lead. Places in the document itself, scripts and files of some machine go."""

_SCHEME = re.compile(r"https?://|mailto:", re.IGNORECASE)
_ESCAPED = {" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E"}


class Links(Struct, frozen=True):
    anchored: Mapping[str, str]
    """Words of the page that can only be the anchor of a link -> the link in markdown."""
    loose: tuple[str, ...]
    """Targets whose anchor is not known, as they are written at the end of the page."""

    def written(self, markdown: str) -> str:
        """The anchors as links. Of a page's text and of its blocks, so that they stay alike."""
        if not self.anchored:
            return markdown
        longest_first = sorted(self.anchored, key=len, reverse=True)
        anchor = re.compile(f"{_BEFORE}({'|'.join(map(re.escape, longest_first))}){_AFTER}")
        return anchor.sub(lambda found: self.anchored[found[1]], markdown)


_BEFORE = r"(?<![\w/@:.\[<-])(?<!\]\()"
_AFTER_TARGET = r"(?![\w/-]|[.:]\w)"
_AFTER = r"(?![\w/@\]>-]|[.:]\w)"
"""An anchor stands alone: neither within a longer address, nor in a link already."""


def links(targets: Iterable[str], text: str, running: frozenset[str]) -> Links:
    """Of targets that the text does not have already.

    Args:
        running: targets on so many pages that they say nothing of this one.
    """
    anchored: dict[str, str] = {}
    loose: list[str] = []
    for target in _kept(targets, running):
        if re.search(re.escape(target) + _AFTER_TARGET, text):
            continue
        address = _SCHEME.sub("", target).rstrip("/")
        if re.search(_BEFORE + re.escape(address) + _AFTER, text):
            anchored[address] = f"[{address}]({target})"
        else:
            loose.append(f"<{target}>")
    return Links(anchored, tuple(loose))


def _kept(targets: Iterable[str], running: frozenset[str]) -> Sequence[str]:
    wanted = (target.strip() for target in targets if target not in running)
    return list(dict.fromkeys(_escaped(target) for target in wanted if _KEPT.fullmatch(target)))


def _escaped(target: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in target)
