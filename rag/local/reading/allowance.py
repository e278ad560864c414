"""What one document may unpack, together with all that is packed within it."""

from rag.errors import DocumentTooLarge
from rag.local.reading.limits import Limits

DENSE = 32 * 1024 * 1024
"""Bytes up to which a member may be packed as densely as it likes: repeated rows of a sheet are."""


class Allowance:
    """Counts bytes and entries as they come out, never as an archive's directory claims."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = 0
        self._entries = 0

    def enter(self, entries: int = 1) -> None:
        """
        Raises:
            DocumentTooLarge: there are more entries than allowed.
        """
        self._entries += entries
        if self._entries > self._limits.entries:
            raise DocumentTooLarge(
                f"the archive has more than {self._limits.entries} entries, with those of archives"
                " within it"
            )

    def take(self, count: int) -> None:
        """
        Raises:
            DocumentTooLarge: so many bytes more are more than allowed.
        """
        self._bytes += count
        if self._bytes > self._limits.unpacked:
            raise DocumentTooLarge(
                f"it unpacks to more than {self._limits.unpacked // 2**20} MB; "
                "unpack it, and ingest what matters"
            )

    def weigh(self, packed: int, unpacked: int) -> None:
        """
        Raises:
            DocumentTooLarge: a member grows beyond what is plausible.
        """
        if unpacked > max(DENSE, packed * self._limits.ratio):
            raise DocumentTooLarge(
                f"a member unpacks to more than {self._limits.ratio} times its size, as only "
                "a file made to do harm does"
            )
