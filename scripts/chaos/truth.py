"""What a library must hold, told by what it acknowledged and by nothing else.

An operation is noted before it begins and again when it was acknowledged. In between its outcome is
open: the process may die, or the disk fail. So each key has the set of what may be found under it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NewType, TypeAlias

import msgspec
from msgspec import Struct

Key = NewType("Key", str)
"""Collection and key of a document, with a `/` between them."""

Changes: TypeAlias = Mapping[Key, str | None]
"""What is under each key when an operation has succeeded: a text, or nothing."""


class Event(Struct, frozen=True, omit_defaults=True):
    """A line of the journal, which lies outside the library."""

    kind: Literal["begun", "acknowledged", "failed", "observed", "broken"]
    """`observed`: what a check found where the outcome was open; `broken`: a promise was."""
    changes: Changes = {}
    note: str = ""
    """Which operation, which error, or what was found instead of what."""


class Truth:
    """What may be under each key, what was there once, and what operations are still open."""

    def __init__(self) -> None:
        self.acknowledged = 0
        """Operations that changed something."""
        self.failures: list[str] = []
        self.broken: list[str] = []
        self.open: list[Changes] = []
        """Operations without an outcome, whose keys nothing else has touched since."""
        self.purged: set[str] = set()
        """Texts whose bytes must be gone: their document was deleted, and that acknowledged."""
        self._allowed: dict[Key, set[str | None]] = {}
        self._ever: set[str] = set()
        self._kept: dict[Key, set[str]] = {}

    @classmethod
    def of(cls, journal: Path) -> "Truth":
        """By a journal, of which the last line may be torn."""
        truth = cls()
        for line in journal.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                truth.learn(msgspec.json.decode(line, type=Event))
        return truth

    @property
    def keys(self) -> set[Key]:
        return set(self._allowed)

    def allowed(self, key: Key) -> set[str | None]:
        return self._allowed.get(key, {None})

    def gone(self) -> set[str]:
        """Texts that were somewhere and may be nowhere now."""
        return self._ever - {text for texts in self._allowed.values() for text in texts if text}

    def learn(self, event: Event) -> None:
        changes = event.changes
        if event.kind == "begun":
            self._begin(changes)
        elif event.kind in ("acknowledged", "observed"):
            self._end(changes, is_known=event.kind == "acknowledged")
        elif event.kind == "failed":
            self.failures.append(event.note)
        else:
            self.broken.append(event.note)

    def _begin(self, changes: Changes) -> None:
        self._touch(changes)
        self.open += [changes] if changes else []
        for key, text in changes.items():
            self._allowed.setdefault(key, {None}).add(text)
            self._ever |= {text} if text is not None else set()

    def _end(self, changes: Changes, *, is_known: bool) -> None:
        self.acknowledged += is_known and len(changes) > 0
        self._touch(changes)
        for key, text in changes.items():
            self._allowed[key] = {text}
            if text is not None:
                self._kept.setdefault(key, set()).add(text)
            elif is_known:
                self.purged |= self._kept.pop(key, set())
            else:  # the delete died midway: nobody was told that the bytes are gone
                self._kept.pop(key, None)

    def _touch(self, keys: Iterable[Key]) -> None:
        self.open = [each for each in self.open if not each.keys() & set(keys)]
