"""A draft as it is written: its claims, each as soon as its object is closed.

The text is that of one JSON object with `sufficient` and `claims` (RFC 8259); it may be cut
anywhere between two pieces. What is not such an object is found out at its end, by a parser: here
only places are told apart.
"""

import re

import msgspec

from rag.domain import DraftClaim

_SUFFICIENT = re.compile(r'"sufficient"\s*:\s*(true|false)')
_CLAIM = ["{", "[", "{"]
"""What is open within a claim: the draft, its list, the claim."""


class DraftInWriting:
    """
    >>> draft = DraftInWriting()
    >>> draft.feed('{"sufficient": true, "claims": [{"text": "It is open.", "evi')
    ()
    >>> [claim.text for claim in draft.feed('dence": []}, {"text"')]
    ['It is open.']
    """

    def __init__(self) -> None:
        self.text = ""
        self.is_odd = False
        """Something in it is no claim; what follows is not told any more."""
        self._at = 0
        self._open: list[str] = []
        self._begun = 0
        """Where the claim that is being written begins."""
        self._head: int | None = None
        """Where the first claim begins: what stands before it is said of the draft."""
        self._is_string = self._is_escaped = False
        self._waiting: list[DraftClaim] = []

    @property
    def sufficient(self) -> bool | None:
        """What the draft says of the sources; None as long as it has not."""
        head = self.text if self._head is None else self.text[: self._head]
        found = _SUFFICIENT.search(head)
        return None if found is None else found[1] == "true"

    def feed(self, piece: str) -> tuple[DraftClaim, ...]:
        """The claims that the piece completes. They are held back until the draft has said that
        the sources suffice: where they do not, no claim stays."""
        self.text += piece
        while self._at < len(self.text):
            self._step(self.text[self._at])
            self._at += 1
        if not self.sufficient:
            return ()
        told, self._waiting = tuple(self._waiting), []
        return told

    def _step(self, character: str) -> None:
        if self._is_string:
            if self._is_escaped:
                self._is_escaped = False
            elif character == "\\":
                self._is_escaped = True
            elif character == '"':
                self._is_string = False
        elif character == '"':
            self._is_string = True
        elif character in "{[":
            self._open.append(character)
            if self._open == _CLAIM:
                self._begun = self._at
                self._head = self._at if self._head is None else self._head
        elif character in "}]" and self._open:
            if self._open == _CLAIM:
                self._end_claim()
            self._open.pop()

    def _end_claim(self) -> None:
        if self.is_odd:
            return
        try:
            claim = msgspec.json.decode(self.text[self._begun : self._at + 1], type=DraftClaim)
        except (msgspec.DecodeError, UnicodeEncodeError):
            self.is_odd = True
        else:
            self._waiting.append(claim)
