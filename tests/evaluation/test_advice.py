"""What a run says about settings is only what it can tell."""

from msgspec.structs import replace

from rag.evaluation.advice import advise, compared
from rag.evaluation.files import from_json, to_json
from rag.evaluation.runs import Run
from rag.evaluation.summaries import Spread
from tests.evaluation.runs import run_of, setting

GOOD = [0.8, 1.0, 0.9, 0.7] * 20
BAD = [0.5, 0.8, 0.5, 0.6] * 20


def said(run: Run, about: str) -> str:
    [text] = [each.text for each in advise(run) if each.about == about]
    return text


def test_a_better_leg_is_named_with_what_to_type() -> None:
    run = run_of({setting("hybrid"): BAD, setting("words", "words"): GOOD})

    assert said(run, "leg").startswith("Take words alone: it is better (words +0.250 ndcg@10")
    assert "rag search --mode words" in said(run, "leg")


def test_legs_that_are_worse_leave_the_fusion() -> None:
    run = run_of(
        {setting("hybrid"): GOOD, setting("dense", "dense"): BAD, setting("words", "words"): BAD}
    )

    assert said(run, "leg").startswith(
        "Keep meaning and words together: it beats meaning alone and words alone"
    )


def test_a_weight_that_is_no_better_beyond_chance_is_not_recommended() -> None:
    shuffled = [*GOOD[1:], GOOD[0]]
    run = run_of({setting("hybrid"): GOOD, setting("hybrid, weight 0.4", weight=0.4): shuffled})

    assert said(run, "weight").startswith("Keep a dense weight of 0.7: nothing tried is better")


def test_smaller_chunks_that_are_better_come_with_the_command() -> None:
    run = run_of({setting("hybrid"): BAD, setting("hybrid, 128 tokens", tokens=128): GOOD})

    assert "rag reindex -C NAME --chunk-tokens 128 --switch" in said(run, "chunks")


def test_a_gain_too_small_to_be_worth_a_change_changes_nothing() -> None:
    run = run_of({setting("hybrid"): GOOD, setting("words", "words"): [x + 0.001 for x in GOOD]})

    [only] = compared(run)
    assert only.p < 0.05
    assert said(run, "leg").startswith("Keep meaning and words together")


def test_many_settings_tried_make_it_harder_to_win() -> None:
    slightly = [x + (0.1 if n % 8 == 0 else -0.01) for n, x in enumerate(GOOD)]
    one = run_of({setting("hybrid"): GOOD, setting("a", weight=0.1): slightly})
    many = run_of(
        {
            setting("hybrid"): GOOD,
            **{setting(str(n), weight=n / 10): slightly for n in range(5)},
        }
    )

    assert compared(many)[0].p > compared(one)[0].p


def test_as_many_hits_as_go_on_adding() -> None:
    run = run_of({setting("hybrid"): GOOD})
    recalls = {1: 0.4, 2: 0.55, 3: 0.65, 5: 0.75, 10: 0.76, 20: 0.9, 50: 0.9, 100: 0.9}
    figures = {f"recall@{k}": Spread(value, (0, 1)) for k, value in recalls.items()}
    arm = replace(run.arms[0], figures={**run.arms[0].figures, **figures})

    assert said(replace(run, arms=(arm,)), "hits").startswith(
        "k = 5: of what is relevant, 40% in 1"
    )


def test_where_more_hits_go_on_adding_it_is_said_so() -> None:
    run = run_of({setting("hybrid"): GOOD})
    figures = {f"recall@{k}": Spread(k**0.5 / 10, (0, 1)) for k in (1, 2, 3, 5, 10, 20, 50, 100)}
    arm = replace(run.arms[0], figures={**run.arms[0].figures, **figures})

    told = said(replace(run, arms=(arm,)), "hits")
    assert told.startswith("k = 20 at least: of what is relevant, 10% in 1")
    assert told.endswith("45% in 20, and 100% in 100.")


def test_few_questions_and_questions_of_a_program_are_called_so() -> None:
    run = run_of({setting("hybrid"): GOOD[:20], setting("words", "words"): BAD[:20]}, made_by="rag")

    assert "These are few" in said(run, "certainty")
    assert "favors words over meaning" in said(run, "certainty")


def test_a_run_kept_as_json_is_the_same_when_read_again() -> None:
    run = run_of({setting("hybrid"): GOOD, setting("words", "words"): BAD})

    assert from_json("run.json", to_json(run)) == run
