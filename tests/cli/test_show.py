"""How a run's account reads in a terminal."""

from io import StringIO

from rich.console import Console

from rag.cli import show
from rag.cli.outcomes import Outcome, summary_of
from rag.domain import Saved

NOTHING_SAVED = Saved()


def told(outcomes: list[Outcome], saved: Saved = NOTHING_SAVED, sent: int = 0) -> str:
    heard = StringIO()
    on = Console(file=heard, width=200)
    show.summary(summary_of("notes", outcomes, saved, 1.0, sent), outcomes, on=on)
    return heard.getvalue()


def test_a_reason_that_many_files_share_is_told_once() -> None:
    reasons = [f"of the budget $0.00{n} are left" for n in range(9)]
    shown = told(
        [Outcome(f"{n}.md", "failed", "budget_exhausted", r) for n, r in enumerate(reasons)]
    )

    assert "0.md, 1.md, 2.md, 3.md, 4.md and 4 more: failed, of the budget $0.000 are left" in shown
    assert shown.count("budget") == 1


def test_files_that_fail_for_themselves_are_told_by_themselves() -> None:
    shown = told([Outcome(f"{n}.pdf", "refused", "broken", f"page {n} is torn") for n in range(2)])

    assert "0.pdf: refused, page 0 is torn" in shown
    assert "1.pdf: refused, page 1 is torn" in shown


def test_a_run_that_waited_for_an_earlier_ones_work_did_something() -> None:
    assert "Nothing to do" in told([Outcome("a.md", "unchanged")])
    assert "Nothing to do" not in told([Outcome("a.md", "unchanged", chunks=3)], sent=1)


def test_one_page_is_one_page() -> None:
    assert "1 page, 20 tokens" in told([Outcome("a.md", "unchanged")], Saved(1, 20))
