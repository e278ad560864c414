"""Publishes documents one after another, and prints each once it is acknowledged; stops for good
when its library is not its own any more.

Arguments: folder, database URL or `-`, a prefix of keys, and any of: `lying`, where locks on the
folder keep nobody out, as on some network file systems; `unfenced`, a planted bug.
"""

import sys
from itertools import count
from pathlib import Path

from rag.errors import LibraryInUse, RagError
from rag.storage import ownership
from rag.storage.engines import postgres
from rag.storage.fencing import Fence
from rag.storage.library import Library
from tests.storage.shelves import Shelf


def main() -> None:
    folder, url, prefix, *traits = sys.argv[1:]
    postgres.SETTINGS["idle_in_transaction_session_timeout"] = "1s"  # instead of a minute
    if "lying" in traits:
        ownership._locked = lambda *_: True
    if "unfenced" in traits:
        Fence.check = lambda *_: None  # type: ignore[method-assign]
    library = Library.open(Path(folder), database_url=None if url == "-" else url)
    shelf = Shelf(library, library.collections.find("notes"))
    for number in count():
        key = f"{prefix}{number}"
        try:
            shelf.put(key, f"words of {key}")
        except LibraryInUse:
            print("fenced", flush=True)
            return
        except RagError as error:
            print("failed", type(error).__name__, flush=True)
        else:
            print("kept", key, flush=True)


if __name__ == "__main__":
    main()
