"""Tokens of texts, counted word by word and remembered.

BERT's word pieces never reach over white space, so a text has as many as its words have. Words
repeat: looked up, counting is thirty times as fast as encoding, which chunking asks for twice.
"""

import re
from collections.abc import Sequence

from tokenizers import Tokenizer

from rag.local.bert import SPECIAL_TOKENS

REMEMBERED = 100_000  # words; about 10 MB
LONGEST_REMEMBERED = 32  # characters; longer ones seldom come again
JOINERS = re.compile(r"[\x0b\x0c\x1c-\x1f\x85]")
"""White space to Python, but removed by the tokenizer, which so joins what stands around it."""


class WordPieces:
    """Counts by the given tokenizer, exactly."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._remembered: dict[str, int] = {}

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        split = [JOINERS.sub("", text).split() for text in texts]
        counts = self._counts({word for words in split for word in words})
        return [SPECIAL_TOKENS + sum(map(counts.__getitem__, words)) for words in split]

    def _counts(self, words: set[str]) -> dict[str, int]:
        if len(self._remembered) > REMEMBERED:
            self._remembered = {}
        known = self._remembered
        counts = {word: known[word] for word in words if word in known}
        new = [word for word in words if word not in counts]
        encodings = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
        for word, encoding in zip(new, encodings, strict=True):
            counts[word] = len(encoding.ids)
            if len(word) <= LONGEST_REMEMBERED:
                known[word] = counts[word]
        return counts
