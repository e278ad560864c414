"""A model's text -> plain text: nothing in it that is rendered, fetched, followed or hidden.

A document can tell a model to write a link or an image that carries secrets to a stranger. What
survives here is words.
"""

import re

_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)
"""Controls, directions, zero widths, fillers, variation selectors, tags: they can carry a message
that nobody sees."""

_STRAY_JOINER = re.compile(
    r"[\u200c\u200d]+(?![^\W\x00-\u05ff])|(?<![^\W\x00-\u05ff])[\u200c\u200d]+"
)
"""Joiners shape words of Arabic and Indic scripts, and have no business between other letters."""

_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\[\]]*\])")
_TAG = re.compile(r"<(?:[a-zA-Z!/?][^<>]*)>")
_ADDRESS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.|\b(?:mailto|javascript|data|tel|file):(?=\S))[^\s<>\"'|]+"
    r"|(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+"
    # without a scheme: //host, and a host with a path, which some programs make links of
    r"|(?<![\w:/])//(?:[\w-]+\.)+[\w-]+[^\s<>\"'|]*"
    r"|(?<![\w./@-])(?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s<>\"'|]*",
    re.IGNORECASE,
)
REMOVED = "[address removed]"


def plain(text: str, quoted: str = "") -> str:
    """Text without markup of links, images and HTML, without hidden characters, on one line.

    Args:
        quoted: an address that stands in here, visibly, is kept, as text.
    """
    text = _without(_TAG, _without(_LINK, visible(text), r"\1"), "")
    text = _ADDRESS.sub(lambda match: _if_quoted(match.group(), quoted), text)
    # what is left of half a tag or half a link is set apart, so that it is neither
    text = re.sub(r"<(?=[a-zA-Z!/?])", "< ", text)
    text = re.sub(r"\](?=[(\[:])", "] ", text)
    return " ".join(text.split())


def plain_code(text: str, quoted: str = "") -> str:
    """As `plain`, of text that speaks of code: `Vec<T>` and `calls[0](x)` are neither tag nor
    link there. A space keeps a renderer from taking them for one."""
    text = _ADDRESS.sub(lambda match: _if_quoted(match.group(), quoted), visible(text))
    return " ".join(_SEEMING.sub(r"\g<0> ", text).split())


_SEEMING = re.compile(r"<(?=[a-zA-Z!/?])|\](?=[(\[])|^\[[^\]]*\](?=:)")
"""What a tag, a link or the definition of one would begin with."""


def visible(text: str) -> str:
    """Without characters that nobody sees, or that a terminal acts upon; lines stay."""
    return _STRAY_JOINER.sub("", _HIDDEN.sub("", text))


def _without(pattern: re.Pattern[str], text: str, kept: str) -> str:
    """Until nothing is left to remove: what is removed may have held together something else."""
    while (shorter := pattern.sub(kept, text)) != text:
        text = shorter
    return text


def _if_quoted(address: str, quoted: str) -> str:
    bare = address.rstrip(".,;:!?)]}")
    return address if bare in quoted else REMOVED + address[len(bare) :]
