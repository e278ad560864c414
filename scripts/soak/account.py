"""What a library holds in the end, as its database says it."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from msgspec import Struct

CURRENT = """
    select document.key, version.chunks, count(chunk.id), count(distinct chunk.start)
    from document
    join version on version.document_id = document.id and version.state = 'current'
    left join chunk on chunk.version_id = version.id and chunk.live
    group by version.id
"""
LAST_ITEMS = """
    select key, state, error_code, error_message from item
    where id in (select max(id) from item group by collection_id, key)
"""
SAME = {"unchanged": "indexed"}
"""What was handed in again after a kill, and was there: the end is the same."""
OPEN_ITEMS = "select count(*) from item where finished_at is null"


class Account(Struct, frozen=True):
    """The same for two runs over the same files, however they went."""

    chunks: Mapping[str, int]
    """Of every document, by its key."""
    states: Mapping[str, str]
    """How the last handing in of each file ended."""
    reasons: Mapping[str, str]
    """Why, where it is not in the collection."""
    faults: tuple[str, ...]
    """What must never be: a document twice, a chunk too many or too few, an item without end."""

    def differences(self, other: "Account") -> list[str]:
        """What the two do not agree on."""
        return [
            f"{name} of {key}: {mine.get(key)}, and {theirs.get(key)} in the other"
            for name, mine, theirs in (
                ("chunks", self.chunks, other.chunks),
                ("state", self.states, other.states),
            )
            for key in sorted({*mine, *theirs})
            if mine.get(key) != theirs.get(key)
        ]


def account_of(data_dir: Path) -> Account:
    address = f"file:{data_dir / 'library.db'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as library:
        documents = library.execute(CURRENT).fetchall()
        items = library.execute(LAST_ITEMS).fetchall()
        [under_way] = library.execute(OPEN_ITEMS).fetchone()
    times = Counter(key for key, *_ in documents)
    faults = [f"{key} is there {count} times" for key, count in times.items() if count > 1]
    faults += [
        f"{key} has {live} chunks in {places} places, and should have {said}"
        for key, said, live, places in documents
        if not said == live == places
    ]
    faults += [f"{under_way} items have not ended"] * bool(under_way)
    return Account(
        {key: said for key, said, *_ in documents},
        {key: SAME.get(state, state) for key, state, *_ in items},
        {key: f"{code}: {message}" for key, _, code, message in items if code},
        tuple(faults),
    )
