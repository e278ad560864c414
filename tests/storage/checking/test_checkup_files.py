"""Flaws that only a file can have, and what is left to a person."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.domain import Failure, Source
from rag.errors import Conflict, InputRefused, RagError
from rag.storage.checking.checkup import PARTS, Report
from tests.storage.shelves import Shelf, cut, only_sqlite, read, vectors_of

pytestmark = only_sqlite
PARTIAL = " WHERE sha256 IS NULL"  # an index with this is not kept up


@pytest.fixture(autouse=True)
def no_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.storage.upkeep.CALM", 600.0)


def written(data_dir: Path, *statements: str) -> None:
    """By somebody who does not keep to the rules."""
    with sqlite3.connect(data_dir / "library.db") as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def said(report: Report) -> list[tuple[str, bool, bool]]:
    return [(flaw.part, flaw.by_hand, flaw.repaired) for flaw in report.flaws]


def reopened(open_shelf: Callable[[], Shelf], data_dir: Path, *rounds: tuple[str, ...]) -> Shelf:
    shelf = open_shelf()
    shelf.put("a", "red fox")
    shelf.library.close()
    for statements in rounds:
        written(data_dir, *statements)
    return open_shelf()


def test_an_index_of_sqlites_that_lacks_rows_is_built_again(open_shelf, data_dir: Path) -> None:
    schema = "UPDATE sqlite_master SET sql = {} WHERE name = 'ix_version_sha256'"
    shelf = reopened(
        open_shelf,
        data_dir,
        (schema.format(f"sql || '{PARTIAL}'"),),
        ("UPDATE version SET sha256 = 'sha256:' || hex(zeroblob(32))",),
        (schema.format(f"replace(sql, '{PARTIAL}', '')"),),
    )

    assert ("database", False, False) in said(shelf.library.checkup.run())
    assert ("database", False, True) in said(shelf.library.checkup.run(repair=True))
    assert "database" not in {part for part, *_ in said(shelf.library.checkup.run())}


def test_rows_that_point_nowhere_are_removed(open_shelf, data_dir: Path) -> None:
    orphan = "INSERT INTO operation (index_version_id, kind, chunk) VALUES (77, 'put', 1)"
    shelf = reopened(open_shelf, data_dir, (orphan,))

    assert said(shelf.library.checkup.run(repair=True)) == [("database", False, True)]
    assert said(shelf.library.checkup.run()) == []


def test_of_two_current_versions_the_newest_stays(open_shelf, data_dir: Path) -> None:
    shelf = open_shelf()
    shelf.put("a", "red fox")
    shelf.put("a", "grey wolf")
    shelf.library.close()
    written(data_dir, "DROP INDEX uq_version_current", "UPDATE version SET state = 'current'")
    shelf = open_shelf()

    assert said(shelf.library.checkup.run(repair=True))[0] == ("documents", False, True)
    assert said(shelf.library.checkup.run()) == []
    assert shelf.texts("fox wolf") == {"grey wolf"}


def blob(data_dir: Path) -> Path:
    [path] = (data_dir / "blobs").glob("*/*")
    return path


def test_lost_bytes_are_for_a_person_to_bring_again(shelf: Shelf, data_dir: Path) -> None:
    shelf.put("a", "red fox")
    blob(data_dir).unlink()

    report = shelf.library.checkup.run(repair=True)
    assert said(report) == [("originals", True, False)]
    assert "'a'" in report.flaws[0].what
    assert not report.is_sound
    shelf.library.jobs.queue(shelf.collection, [Source("a", b"red fox")])
    assert said(shelf.library.checkup.run()) == []


def test_damaged_bytes_are_set_aside_and_can_be_brought_again(shelf: Shelf, data_dir: Path) -> None:
    summary = shelf.put("a", "red fox")
    path = blob(data_dir)
    path.write_bytes(b"RED FOX")

    assert said(shelf.library.checkup.run(repair=True)) == [("originals", False, True)]
    assert [each.read_bytes() for each in (data_dir / "damaged").iterdir()] == [b"RED FOX"]
    assert said(shelf.library.checkup.run()) == [("originals", True, False)]
    shelf.library.jobs.queue(shelf.collection, [Source("a", b"red fox")])
    assert shelf.library.documents.content(summary.id)[0] == b"red fox"
    assert said(shelf.library.checkup.run()) == []


def test_a_strangers_file_is_left_to_its_owner(shelf: Shelf, data_dir: Path) -> None:
    (data_dir / "holiday.jpg").write_bytes(b"")

    assert said(shelf.library.checkup.run(repair=True)) == [("files", True, False)]
    assert (data_dir / "holiday.jpg").exists()


def test_a_passage_that_the_model_refused_is_no_flaw(shelf: Shelf) -> None:
    shelf.library.jobs.queue(shelf.collection, [Source("a", b"red fox\nunspeakable")])
    claimed = shelf.library.jobs.claim(lease=60)
    document = read(shelf.library.jobs.source(claimed))
    shelf.library.documents.publish(
        shelf.collection,
        document,
        cut(document),
        vectors_of(["red fox"]),
        claimed=claimed,
        refused=frozenset({1}),
        flaw=Failure(InputRefused.code, "embed", "refuses 1 of 2 passages"),
    )

    assert said(shelf.library.checkup.run()) == []


def test_a_vector_that_was_dropped_is_made_by_the_next_publication(shelf: Shelf) -> None:
    """Although text, chunks and attributes are the same."""
    shelf.put("a", "red fox")
    with shelf.library._database.alone() as session:
        session.connection().exec_driver_sql("UPDATE chunk SET embedding_id = NULL")

    shelf.put("a", "red fox")
    assert said(shelf.library.checkup.run()) == []


def test_what_cannot_be_looked_at_is_a_flaw_and_not_an_end(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(held: object) -> None:
        raise RagError("the disk failed")

    monkeypatch.setitem(PARTS, "counts", broken)
    report = shelf.library.checkup.run()

    assert said(report) == [("counts", True, False)]
    assert (report.state, report.done) == ("done", report.total)


def test_there_is_one_check_at_a_time(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()
    monkeypatch.setitem(PARTS, "words", lambda held: iter([may_end.wait(20)][:0]))
    shelf.library.checkup.begin(repair=False)

    with pytest.raises(Conflict):
        shelf.library.checkup.begin(repair=False)
    may_end.set()
