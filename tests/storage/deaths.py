"""How a library ends badly, within a test's own process."""

import random
from pathlib import Path

from rag.storage.library import Library


def die(library: Library) -> None:
    """As a process dies: nothing is saved, and the locks fall."""
    library._upkeep.close()
    for indexes in library._indexes.now():
        indexes.words._index._disk._writer = None
    library._is_closed = True
    library._database.close()
    library._ownership.release()


def harm(path: Path, chance: random.Random) -> None:
    """A file is gone, or one bit of it is another."""
    content = bytearray(path.read_bytes())
    if not content or chance.random() < 0.5:
        path.unlink()
    else:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
