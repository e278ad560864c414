"""What was asked a short while ago."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The values of the keys that were used last, in memory and nowhere else. For one thread."""

    def __init__(self, most: int) -> None:
        """
        Args:
            most: entries that are held.
        """
        self._most = most
        self._held: OrderedDict[Key, Value] = OrderedDict()

    def of(self, keys: Iterable[Key]) -> dict[Key, Value]:
        """Of those that are held."""
        found = {key: self._held[key] for key in keys if key in self._held}
        for key in found:
            self._held.move_to_end(key)
        return found

    def hold(self, values: Iterable[tuple[Key, Value]]) -> None:
        for key, value in values:
            self._held[key] = value
            self._held.move_to_end(key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
