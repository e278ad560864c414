"""A process that lost its data folder to another must not write any more.

The lock on the folder (`ownership`) keeps a second owner out, also while the first is stopped.
A network file system may lie about such locks. So each opening counts an epoch up, in the database
itself, and every transaction that writes sees whether the epoch is still its own.
"""

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from rag.errors import LibraryInUse
from rag.storage.tables import MetaRow

_EPOCH = select(MetaRow.value).where(MetaRow.key == bindparam("key"))


class Fence:
    """Stands while nobody else took over the same node."""

    def __init__(self, node: str, epoch: str) -> None:
        self._key = _key(node)
        self._epoch = epoch

    def check(self, session: Session) -> None:
        """
        Raises:
            LibraryInUse: somebody did.
        """
        if session.connection().scalar(_EPOCH, {"key": self._key}) != self._epoch:
            raise LibraryInUse(
                "another process has taken over the library's data folder, and this one may not "
                "write any more; stop it"
            )


def raise_fence(session: Session, node: str) -> Fence:
    """Locks out whoever opened the node before. The transaction must be alone."""
    key = _key(node)
    former = session.scalar(_EPOCH, {"key": key})
    epoch = str(int(former or 0) + 1)
    if former is None:
        session.execute(insert(MetaRow).values(key=key, value=epoch))
    else:
        session.execute(update(MetaRow).where(MetaRow.key == key).values(value=epoch))
    return Fence(node, epoch)


def _key(node: str) -> str:
    return f"epoch/{node}"
