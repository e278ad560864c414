"""What a run over a folder is judged by notices what must never be."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag.cli.outcomes import Outcome
from scripts.soak.account import Account, account_of
from scripts.soak.folder import Ran, faults_of
from scripts.soak.served import Memory

TABLES = """
    create table document (id, key);
    create table version (id, document_id, state, chunks);
    create table chunk (id, version_id, live, start);
    create table item (id, collection_id, key, state, error_code, error_message, finished_at);
    insert into document values ('d1', 'a.md'), ('d2', 'b.md');
    insert into version values (1, 'd1', 'current', 2), (2, 'd2', 'current', 1);
    insert into version values (3, 'd2', 'superseded', 5);
    insert into chunk values (1, 1, 1, 0), (2, 1, 1, 50), (3, 2, 1, 0), (4, 3, 0, 0);
    insert into item values (1, 'c', 'a.md', 'indexed', null, null, 'then');
    insert into item values (2, 'c', 'b.md', 'refused', 'empty_document', 'no text', 'then');
    insert into item values (3, 'c', 'b.md', 'unchanged', null, null, 'then');
"""
MEMORY = [Memory(1, 1, 1)]


@pytest.fixture
def library(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "library.db")
    connection.executescript(TABLES)
    return connection


def test_an_account_is_what_there_is_now(library: sqlite3.Connection, tmp_path: Path) -> None:
    with closing(library):
        account = account_of(tmp_path)

    assert account == Account(
        {"a.md": 2, "b.md": 1}, {"a.md": "indexed", "b.md": "indexed"}, {}, ()
    )


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("insert into document values ('d3', 'a.md')", None),
        ("insert into version values (4, 'd1', 'current', 0)", "a.md is there 2 times"),
        ("insert into chunk values (9, 1, 1, 50)", "a.md has 3 chunks in 2 places"),
        ("delete from chunk where id = 3", "b.md has 0 chunks"),
        ("update item set finished_at = null where id = 3", "1 items have not ended"),
    ],
)
def test_what_must_never_be_is_a_fault(
    library: sqlite3.Connection, tmp_path: Path, damage: str, fault: str | None
) -> None:
    with closing(library):
        library.execute(damage)
        library.commit()
        found = account_of(tmp_path).faults

    assert [each for each in found if fault is None or fault in each] == list(found)
    assert bool(found) == (fault is not None)


def test_two_accounts_differ_by_what_they_do_not_agree_on() -> None:
    whole = Account({"a": 2, "b": 1}, {"a": "indexed", "b": "indexed"}, {}, ())
    cut = Account({"a": 2}, {"a": "indexed", "b": "failed"}, {}, ())

    assert whole.differences(whole) == []
    assert whole.differences(cut) == [
        "chunks of b: 1, and None in the other",
        "state of b: indexed, and failed in the other",
    ]


def test_a_file_that_is_lost_or_fails_or_has_no_reason_is_a_fault() -> None:
    outcomes = (
        Outcome("lost", "indexed"),
        Outcome("failed", "failed", "read_failed", "why"),
        Outcome("untold", "refused"),
        Outcome("a.zip!/a", "indexed"),
    )
    found = Account({"by itself": 1, "a.zip!/a": 1, "b.zip!/b": 1}, {}, {}, ())
    first = Ran(1_000.0, 1, outcomes)

    assert faults_of(first, Ran(1.0, 1, outcomes[:3]), found, MEMORY) == [
        "failed failed: why",
        "untold has no reason",
        "lost is lost",
        "by itself came by itself",
    ]


def test_a_second_run_that_is_slow_or_a_process_that_is_large_is_a_fault() -> None:
    none = Account({}, {}, {}, ())
    faults = faults_of(Ran(100.0, 1, ()), Ran(10.0, 1, ()), none, [Memory(2**31, 0, 0)])

    assert faults == ["another run is only 10 times as fast", "a process had 2048 MB"]
