"""How long a lane keeps still after refusals that do not say when to come back."""

_FIRST = 1.0
"""Seconds without calls after a refusal; doubled with each in a row."""


class Hold:
    """Of one lane. After a refusal it keeps still for a while, then one call tries."""

    def __init__(self, longest: float) -> None:
        """
        Args:
            longest: seconds.
        """
        self._longest = longest
        self.until = 0.0
        self.refusals = 0
        """In a row."""
        self._last = 0
        """Number of the last call that had left at the last of them."""
        self.trying = 0
        """Calls under way that left after it."""

    def left(self) -> None:
        self.trying += 1

    def is_later(self, number: int) -> bool:
        """Whether the call left after the last refusal: only such a one tells anything new."""
        return number > self._last

    def arrived(self, number: int) -> None:
        self.trying -= self.is_later(number)

    def keep_still(self, until: float) -> None:
        self.until = max(self.until, until)

    def refuse(self, last: int, chance: float, now: float) -> None:
        """
        Args:
            last: number of the last call that has left.
            chance: uniform in [0, 1).
        """
        self.keep_still(now + chance * min(self._longest, _FIRST * 2.0**self.refusals))
        self.refusals += 1
        self._last = last
        self.trying = 0
