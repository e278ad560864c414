"""A text by its lines, changed line for line, so that a line keeps its number."""

from collections.abc import Sequence

LONGEST_LINE = 10_000
"""Characters of a line in which marks are looked for: the time for it grows faster than it does."""


class Lines:
    """What is left out is blank; what needs fewer lines is followed by blank ones."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, at: int) -> str:
        """Blank beyond the end."""
        return self._lines[at] if 0 <= at < len(self._lines) else ""

    def __setitem__(self, at: int, line: str) -> None:
        self._lines[at] = line

    def is_blank(self, at: int) -> bool:
        return not self[at].strip()

    def indentation(self, at: int) -> int:
        line = self[at]
        return len(line) - len(line.lstrip())

    def replace(self, first: int, after: int, lines: Sequence[str]) -> None:
        """As many as there is room for; a table that needs more has lost its last rows to no one,
        for they are put on its last line."""
        room = after - first
        kept = [*lines[: room - 1], " ".join(lines[room - 1 :])] if len(lines) > room else lines
        self._lines[first:after] = [*kept, *[""] * (room - len(kept))]

    def skip_blanks(self, at: int) -> int:
        while at < len(self) and self.is_blank(at):
            at += 1
        return at

    def after_indented(self, at: int, indentation: int) -> int:
        """Past what stands deeper than that, blank lines within it included."""
        end = at
        while at < len(self) and (self.is_blank(at) or self.indentation(at) > indentation):
            at += 1
            end = end if self.is_blank(at - 1) else at
        return end

    @property
    def text(self) -> str:
        return "\n".join(self._lines)
