"""What is told while files go by is about what is still to come."""

import io

import httpx
import pytest
from rich.console import Console

from rag.cli import progress as progressing
from rag.cli.door import Door
from rag.cli.handing import Handing
from rag.cli.outcomes import Outcome
from rag.cli.progress import NAMED_AT_ONCE, InLines, OnTerminal, Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progressing, "monotonic", lambda: now[0])
    return now


def test_files_that_were_there_already_tell_no_pace(clock: list[float]) -> None:
    progress = Progress(1_000, "ingesting")
    clock[0] = 10.0
    for _ in range(900):
        progress.told(Outcome("a", "unchanged"))
    for _ in range(50):
        progress.told(Outcome("b", "refused", "empty_document", "it was before"))

    assert progress.left() == ""
    assert "files/s" not in progress.counts()

    for _ in range(10):
        progress.told(Outcome("c", "indexed", seconds=1.0))
    assert progress.counts().endswith("1.0 files/s")
    assert progress.left() == "40 s left"


def test_a_terminal_says_how_long_it_will_take(clock: list[float]) -> None:
    screen = Console(file=io.StringIO(), width=100)
    progress = OnTerminal(3, "ingesting", "files", screen)
    clock[0] = 60.0
    progress.told(Outcome("a", "indexed", seconds=1.0, chunks=2))
    screen.print(progress)

    assert isinstance(screen.file, io.StringIO)
    assert "2 min left" in screen.file.getvalue()
    assert "0 pages, 2 chunks\n" in screen.file.getvalue().replace(" \n", "\n")


def test_a_log_gets_a_line_now_and_then(clock: list[float]) -> None:
    log = Console(file=io.StringIO(), width=200)
    progress = InLines(3, "ingesting", "files", log)
    for clock[0] in (1.0, 5.0, 11.0):
        progress.told(Outcome("a", "indexed", seconds=1.0))

    assert isinstance(log.file, io.StringIO)
    assert log.file.getvalue() == "ingesting: 3 of 3: 0 pages, 0 chunks, 0.3 files/s\n"


def test_it_is_told_which_file_takes_its_time(clock: list[float]) -> None:
    screen = Console(file=io.StringIO(), width=120)
    progress = OnTerminal(3, "ingesting", "files", screen)
    progress.under_way([("reading", "a/" + 40 * "deep/" + "scan.pdf")])
    clock[0] = 42.0
    progress.under_way([("reading", "a/" + 40 * "deep/" + "scan.pdf"), ("embedding", "b.md")])
    screen.print(progress)

    assert isinstance(screen.file, io.StringIO)
    assert "deep/scan.pdf (42 s), embedding b.md" in screen.file.getvalue()
    assert "reading …" in screen.file.getvalue()


def test_a_file_that_is_not_read_is_named_at_once_and_hundreds_are_not(
    clock: list[float],
) -> None:
    log = Console(file=io.StringIO(), width=200)
    progress = InLines(100, "ingesting", "files", log)
    for n in range(60):
        progress.told(Outcome(f"[{n}].pdf", "refused", "encrypted", "it is locked", seconds=0.1))
    progress.told(Outcome("known.pdf", "refused", "encrypted", "it was before"))

    assert isinstance(log.file, io.StringIO)
    lines = log.file.getvalue().splitlines()
    assert lines[0] == "[0].pdf: refused, it is locked"
    assert len(lines) == NAMED_AT_ONCE + 1
    assert "known.pdf" not in log.file.getvalue()
    assert "61 not read" in progress.counts()


@pytest.mark.anyio
async def test_what_is_done_to_a_file_is_told_by_the_last_step_behind_it() -> None:
    def item(key: str, state: str, attempts: int = 1) -> dict[str, object]:
        return {"key": key, "state": state, "attempts": attempts} | dict.fromkeys(
            ("pages", "pages_ocred", "chunks", "seconds"), 0
        )

    heard: list[Outcome] = []
    async with httpx.AsyncClient() as http:
        handing = Handing("notes", Door(http, None), heard.append, "direct")
        handing.waiting = {"a", "b", "c"}
        handing.hear_of([item("a", "queued"), item("b", "chunked"), item("c", "queued", 0)])
        before = dict(handing.under_way)
        handing.hear_of([item("a", "read"), item("b", "indexed")])

    assert before == {"a": "reading", "b": "embedding"}
    assert handing.under_way == {"a": "cutting up"}
    assert [outcome.key for outcome in heard] == ["b"]
