"""How many tokens a text has, without the model's tokenizer, and how many texts fit one request.

Two numbers, for two purposes. `token_bound` is proven: the tokenizer falls back to single bytes,
so a text never has more tokens than bytes and the special ones. What must never be exceeded is
held against it: the longest text, and what a call may cost. For English it is three times too
high, so chunks cut by it would be tiny, and requests a third full: `estimated_tokens` is what
those are cut by. Where it is too low for once, the provider refuses the request for nothing, and
half as much goes into the next.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

LONGEST_INPUT = 8_192
"""Tokens of one text, special ones included, of both embedding models."""

_SPECIAL = 3
"""Tokens besides a text's own: beginning, end, and the space put before the first word."""

_LETTERS_PER_TOKEN = 3
"""English and French prose has 3.0 characters a token, Python 3.6, with the v1 tokenizer."""

_WORDS = re.compile(r"[A-Za-z\u00c0-\u024f ]+")
"""Letters of Latin scripts, and the spaces between them."""

_UNKNOWN = re.compile(
    r"[^\x00-\x7f\u00a0-\u052f\u2000-\u206f\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)
"""Characters outside the scripts whose single characters are mostly known to the tokenizer; each
costs its three or four bytes."""


def token_bound(text: str) -> int:
    """No fewer tokens than the text has."""
    return len(text.encode()) + _SPECIAL


def token_bound_elsewhere(text: str) -> int:
    """The same with a tokenizer that we do not know: it may put text into Unicode's form of
    compatibility first, which makes one character as many as eighteen."""
    bound = token_bound(text)
    if unicodedata.is_normalized("NFKC", text):
        return bound
    return max(bound, token_bound(unicodedata.normalize("NFKC", text)))


def estimated_tokens(text: str) -> int:
    """About as many tokens as the text has, rather more than fewer: three letters a token, one
    token for any other character, and one a byte in scripts the tokenizer does not know.

    Never less than a sixth of `token_bound`: no letter of `_WORDS` has more than two bytes. So a
    text estimated at 1,365 tokens or less is sure to fit `LONGEST_INPUT`.

    >>> estimated_tokens("The answer is 42.")
    11
    """
    rest = _WORDS.sub("", text)
    letters = len(text) - len(rest)
    strange = "".join(_UNKNOWN.findall(rest))
    others = len(rest) - len(strange) + len(strange.encode())
    return _SPECIAL + -(-letters // _LETTERS_PER_TOKEN) + others


class Packing(Struct, frozen=True):
    """What one request may hold."""

    inputs: int = 64
    """As the provider's own toolkit; requests of more than 512 were seen refused."""
    tokens: int = 16_000
    """By `estimated_tokens`. The limit is not documented; 16,384 was seen in its refusals."""

    def halved(self, texts: Sequence[str], by: Literal["inputs", "tokens"]) -> "Packing":
        """What to try after all of `texts` in one request were too many; never more than now, as
        a request that was packed earlier may be refused later."""
        if by == "inputs":
            return Packing(min(self.inputs, max(1, len(texts) // 2)), self.tokens)
        half = max(1, sum(map(estimated_tokens, texts)) // 2)
        return Packing(self.inputs, min(self.tokens, half))


def most_tokens(texts: Sequence[str], longest: int = LONGEST_INPUT) -> int:
    """No fewer than a request of these texts is billed for."""
    return sum(min(token_bound(text), longest) for text in texts)


def pack(texts: Sequence[str], packing: Packing) -> Iterator[Sequence[str]]:
    """The texts in order, in as few requests as the packing allows. A text over the limit by
    itself goes alone."""
    start = tokens = 0
    for end, text in enumerate(texts):
        own = estimated_tokens(text)
        if end > start and (tokens + own > packing.tokens or end - start >= packing.inputs):
            yield texts[start:end]
            start, tokens = end, 0
        tokens += own
    if start < len(texts):
        yield texts[start:]


def windows(text: str, limit: int = LONGEST_INPUT) -> Iterator[str]:
    """The text in pieces whose `token_bound` is within the limit, cut at white space where there
    is some in the second half of a piece."""
    longest = (limit - _SPECIAL) // 4
    """Code points; one has at most four bytes."""
    while token_bound(text) > limit:
        space = max(text.rfind(" ", longest // 2, longest), text.rfind("\n", longest // 2, longest))
        end = space if space > 0 else longest
        yield text[:end]
        text = text[end:].lstrip()
    yield text
