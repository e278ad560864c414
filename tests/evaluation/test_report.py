"""The report stands alone, and says what the run says."""

import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from rag.evaluation.answers import Verdict, together
from rag.evaluation.report.misses import command, misses, why
from rag.evaluation.report.page import page
from rag.evaluation.runs import Run, Trace
from tests.evaluation.runs import run_of, setting

HYBRID = [1.0, 0.5, 0.0, 1.0] * 5
WORDS = [1.0, 1.0, 1.0, 1.0] * 5


@pytest.fixture(scope="module")
def run() -> Run:
    return run_of(
        {
            setting("hybrid"): HYBRID,
            setting("dense", "dense"): HYBRID,
            setting("words", "words"): WORDS,
        }
    )


class Tags(HTMLParser):
    """Counts what is opened, and fails where something else is closed."""

    EMPTY = ("meta", "br", "line", "circle", "rect", "polyline", "polygon")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_tag_is_closed_and_nothing_is_fetched(run: Run) -> None:
    tags = Tags()
    tags.feed(page(run))

    assert not tags.open
    assert tags.count > 100
    assert not tags.addresses
    assert "<script" not in page(run)
    assert not re.search(r"url\(|@import|https?:", page(run))


def test_figures_and_advice_are_on_the_page(run: Run) -> None:
    told = page(run)

    assert f"{run.arms[0].figures['ndcg@10'].mean:.3f}" in told
    assert "Take words alone" in told
    assert "Real: words is better than hybrid" in told


def test_a_question_with_markup_in_it_is_shown_and_not_obeyed(run: Run) -> None:
    asked = replace(run.questions[2], text="<script>alert('x')</script>", id='"><b>')
    told = page(replace(run, questions=(*run.questions[:2], asked, *run.questions[3:])))

    assert "<script>" not in told
    assert "&lt;script&gt;" in told


def test_it_is_light_and_dark_and_fits_a_phone(run: Run) -> None:
    assert "prefers-color-scheme: dark" in page(run)
    assert "width=device-width" in page(run)


def test_the_worst_questions_come_first_and_perfect_ones_not_at_all(run: Run) -> None:
    found = misses(run, 100)

    assert [each.score for each in found] == [0.0] * 5 + [0.5] * 5
    assert len(misses(run, 3)) == 3


def test_a_miss_says_which_leg_had_it(run: Run) -> None:
    found = misses(run, 1)[0]

    assert found.why == (
        "Hybrid not among the first hundred; by meaning not among the first hundred, by words at"
        " rank 1. The words had it, and meaning outweighed that."
    )


def test_a_miss_of_all_legs_is_not_blamed_on_the_fusion(run: Run) -> None:
    nowhere = {name: Trace({}, {"a": None}) for name in ("hybrid", "dense", "words")}

    said = why(replace(run.questions[0], traces=nowhere), run)
    assert said.endswith("look whether it was read well.")


def test_wrong_answers_are_on_the_page_and_right_ones_are_not(run: Run) -> None:
    refused = Verdict("1", "who has the key?", True, "insufficient", "", 0, 0, 0, 0, 5.0)
    right = Verdict("2", "who rows?", True, "answered", "Ada", 1, 1, 1, 1, 5.0, True)

    told = page(replace(run, answers=together("extractive", [refused, right])))
    assert "who has the key?" in told
    assert "who rows?" not in told
    assert "answerable answered" in told


def test_a_kept_library_comes_with_the_command_that_explains_a_miss(run: Run) -> None:
    kept = replace(run, library="/kept here", collection="set-1")

    assert command(kept.questions[2], run) is None
    assert command(kept.questions[2], kept) == (
        "RAG_DATA_DIR='/kept here' rag search -C set-1 --mode hybrid --why a.md -- 'question 2?'"
    )


def test_one_setting_alone_makes_a_report_too() -> None:
    assert "<svg" in page(run_of({setting("words", "words"): [1.0, 1.0]}))
