"""Many rows in one statement are what the same rows are one by one."""

from collections.abc import Sequence

from sqlalchemy import func, select

from rag.storage.batches import BATCH
from rag.storage.bulk import ids_of_keys, insert_new_rows, insert_rows
from rag.storage.tables import EmbeddingRow

SAME = {"model": "letters", "dimension": 8, "dtype": "float32", "input_type": "passage"}
COLUMNS = ("text_sha256", "vector", "crc32")
LOOKED_FOR = {"model": "letters", "input_type": "passage"}


def rows(numbers: Sequence[int], vector: bytes = b"v") -> list[tuple[object, ...]]:
    return [(key(number), vector, number) for number in numbers]


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def kept(session) -> dict[bytes, tuple[object, ...]]:
    found = session.execute(
        select(EmbeddingRow.text_sha256, EmbeddingRow.vector, EmbeddingRow.crc32)
    )
    return {digest: (vector, crc32) for digest, vector, crc32 in found}


def test_rows_have_what_all_share_and_what_is_their_own(shelf) -> None:
    with shelf.library._database.write() as session:
        insert_rows(session, EmbeddingRow, SAME, COLUMNS, rows(range(3)))
        shared = session.execute(
            select(EmbeddingRow.model, EmbeddingRow.dimension, func.count()).group_by(
                EmbeddingRow.model, EmbeddingRow.dimension
            )
        ).all()

        assert [tuple(each) for each in shared] == [("letters", 8, 3)]
        assert kept(session) == {key(n): (b"v", n) for n in range(3)}


def test_no_rows_are_no_statement(shelf) -> None:
    with shelf.library._database.write() as session:
        insert_rows(session, EmbeddingRow, SAME, COLUMNS, [])
        assert ids_of_keys(session, EmbeddingRow, LOOKED_FOR, "text_sha256", []) == {}
        assert kept(session) == {}


def test_what_somebody_has_is_left_as_it_is(shelf) -> None:
    with shelf.library._database.write() as session:
        insert_rows(session, EmbeddingRow, SAME, COLUMNS, rows([1, 2], b"first"))
        insert_new_rows(session, EmbeddingRow, SAME, COLUMNS, rows([2, 3], b"second"))

        assert kept(session) == {
            key(1): (b"first", 1),
            key(2): (b"first", 2),
            key(3): (b"second", 3),
        }


def test_ids_are_found_however_many_keys_are_asked_for(shelf) -> None:
    numbers = range(BATCH + 5)
    with shelf.library._database.write() as session:
        insert_rows(session, EmbeddingRow, SAME, COLUMNS, rows(numbers))
        insert_rows(session, EmbeddingRow, SAME | {"model": "other"}, COLUMNS, rows([7]))
        asked = [key(number) for number in (*numbers, 10**6)]
        found = ids_of_keys(session, EmbeddingRow, LOOKED_FOR, "text_sha256", asked)
        ids = set(
            session.scalars(select(EmbeddingRow.id).where(EmbeddingRow.model == "letters")).all()
        )

        assert set(found) == set(asked[:-1])
        assert set(found.values()) == ids
