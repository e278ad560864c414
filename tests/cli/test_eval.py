"""`rag eval` on a set of six documents, through the real ingest and search."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.serving import served

from tests.cli.serving import Commands, Done

CORPUS = {
    "gulls": ("Gulls", "Herring gulls nest on flat roofs in April and lay three eggs."),
    "owls": ("Owls", "Barn owls hunt voles over meadows after dusk."),
    "kettle": ("Kettles", "A kettle boils a liter of water in three minutes."),
    "bread": ("Bread", "Sourdough rises for twelve hours before it is baked."),
    "tide": ("Tides", "Spring tides come at full moon and at new moon."),
    "a/b.c": ("Locks", "The harbor master keeps the spare key of the lock gate."),
}
QUESTIONS = {
    "q1": ("where do herring gulls nest", "gulls"),
    "q2": ("which bird hunts voles", "owls"),
    "q3": ("how long does sourdough rise", "bread"),
    "q4": ("who keeps the spare key", "a/b.c"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "birds"
    folder.mkdir()
    corpus = [{"_id": id, "title": title, "text": text} for id, (title, text) in CORPUS.items()]
    queries = [{"_id": id, "text": text} for id, (text, _) in QUESTIONS.items()]
    lines = [
        "query-id\tcorpus-id\tscore",
        *(f"{id}\t{doc}\t1" for id, (_, doc) in QUESTIONS.items()),
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels.tsv").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "library"


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setenv("RAG_DATA_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("RAG_PROVIDER", "local")
    return Commands(tmp_path)


@pytest.fixture(scope="module")
def done(folder: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    with pytest.MonkeyPatch.context() as patch:
        own = tmp_path_factory.mktemp("user") / "own"
        patch.setenv("RAG_DATA_DIR", str(own))
        patch.setenv("RAG_PROVIDER", "local")
        finished = Commands(own.parent)("eval", folder, "--keep", kept, "--json")
        assert not own.exists(), "the user's own library is not touched"
    return finished


@pytest.fixture(scope="module")
def run(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_figures_of_the_fusion_come_first_with_their_intervals(run: dict[str, Any]) -> None:
    assert run["queries"] == 4
    assert run["documents"] == 6
    assert run["ndcg@10"] == 1
    assert run["recall@10"] == run["mrr@10"] == run["hit_rate@10"] == 1
    low, high = run["intervals"]["ndcg@10"]
    assert low < 0.9 < high  # four questions prove little


def test_legs_stand_side_by_side(run: dict[str, Any]) -> None:
    assert list(run["legs"]) == ["hybrid", "dense", "words"]
    assert run["legs"]["words"]["recall@10"] == 1


def test_each_question_is_kept_with_the_ranks_of_what_is_relevant(run: dict[str, Any]) -> None:
    last = run["questions"][3]

    assert last["id"] == "q4"
    assert last["traces"]["hybrid"]["ranks"] == {"a/b.c": 1}
    assert last["first"][0]["key"] == "a/b.c"


def test_searches_are_timed(run: dict[str, Any]) -> None:
    assert 0 < run["latency_p50_ms"] <= run["latency_p99_ms"]


def test_a_kept_library_is_used_again_and_nothing_is_ingested(
    commands: Commands, folder: Path, kept: Path, run: dict[str, Any]
) -> None:
    again = commands("eval", folder, "--keep", kept, "--leg", "words")

    assert again.code == 0
    assert "Nothing to do: every file is already there" in again.said
    assert "birds: 4 questions over 6 documents" in again.out


@pytest.mark.parametrize(("bound", "code"), [("0.9", 0), ("1.01", 1)])
def test_a_gate_decides_the_exit_code_and_says_why(
    commands: Commands, folder: Path, kept: Path, run: dict[str, Any], bound: str, code: int
) -> None:
    gated = commands(
        "eval", folder, "--keep", kept, "-q", "--leg", "words", "--gate", f"ndcg@10>={bound}"
    )

    assert gated.code == code
    assert ("does not hold: ndcg@10 is 1.0000" in gated.said) == bool(code)


def test_questions_in_other_words_are_judged_alike(
    commands: Commands, folder: Path, kept: Path, tmp_path: Path
) -> None:
    other = tmp_path / "queries.jsonl"
    other.write_text('{"_id": "q2", "text": "spare key harbor"}')

    asked = commands(
        "eval", folder, "--queries", other, "--keep", kept, "-q", "--leg", "words", "--json"
    )
    assert json.loads(asked.out)["queries"] == 1
    assert json.loads(asked.out)["mrr@10"] < 1


def test_answers_are_judged_too_and_a_report_is_written(
    commands: Commands, folder: Path, kept: Path, tmp_path: Path, run: dict[str, Any]
) -> None:
    both = tmp_path / "birds"
    shutil.copytree(folder, both)
    rows = [
        {"_id": "q1", "question": "where do herring gulls nest?", "answers": ["flat roofs"],
         "doc": "gulls", "evidence": ["Herring gulls nest on flat roofs in April"]},
        {"_id": "q9", "question": "what is the boiling point of tungsten?", "answerable": False},
    ]  # fmt: skip
    (both / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    html = tmp_path / "report.html"

    done = commands(
        "eval", both, "--keep", kept, "-q", "--leg", "hybrid", "--answers", "--json",
        "--html", html, "--gate", "quotations_exact>=1",
    )  # fmt: skip
    found = json.loads(done.out)
    assert done.code == 0
    assert found["unanswerable_refused"] == 1
    assert found["quotations_exact"] == 1
    assert found["answers"]["verdicts"][0]["first_is_evidence"]
    assert found["answers"]["unanswerable"] == 1
    assert "Answers by extractive" in html.read_text()


def test_a_question_without_its_document_should_be_refused(
    commands: Commands, folder: Path, kept: Path, tmp_path: Path, run: dict[str, Any]
) -> None:
    both = tmp_path / "birds"
    shutil.copytree(folder, both)
    rows = [
        {"_id": "q1", "question": "where do herring gulls nest?", "answers": ["flat roofs"],
         "doc": "gulls"},
        {"_id": "q4", "question": "who keeps the spare key of the lock gate?",
         "answers": ["harbor master"], "doc": "a/b.c"},
    ]  # fmt: skip
    (both / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))

    done = commands(
        "eval", both, "--keep", kept, "-q", "--leg", "words", "--answers", "--hide", "--json"
    )
    first, last = [
        each for each in json.loads(done.out)["answers"]["verdicts"] if each["id"] in ("q1", "q4")
    ]
    assert (first["answerable"], first["outcome"]) == (True, "answered")
    assert not last["answerable"]
    assert last["outcome"] != "answered"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no set"),
        ({"birds/corpus.jsonl": ""}, "has some in it: birds"),
        (
            {"corpus.jsonl": '{"_id": 1, "text": "x"}'},
            "has documents, but neither qrels.tsv nor qa",
        ),
        ({"corpus.jsonl": "x", "qrels.tsv": "q\td\t1\n"}, "corpus.jsonl, line 1"),
    ],
)
def test_a_folder_without_a_set_is_told_what_a_set_is(
    commands: Commands, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for name, text in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)

    refused = commands("eval", place)
    assert refused.code == 2
    assert said in refused.said


def test_a_setting_is_compared_and_what_to_use_is_said(
    commands: Commands, folder: Path, kept: Path, run: dict[str, Any]
) -> None:
    tried = commands(
        "eval", folder, "--keep", kept, "-q", "--leg", "hybrid", "--against",
        "weight=0.1", "--chunk-tokens", "64", "--json",
    )  # fmt: skip

    found = json.loads(tried.out)
    assert list(found["legs"]) == ["hybrid", "hybrid, weight 0.1", "hybrid, 64 tokens"]
    assert [arm["setting"]["chunk_tokens"] for arm in found["arms"]] == [256, 256, 64]
    assert found["arms"][1]["setting"]["dense_weight"] == 0.1
    assert (
        found["arms"][2]["setting"]["dense_weight"] == found["arms"][0]["setting"]["dense_weight"]
    )
    assert found["advice"]["weight"].startswith("Keep a dense weight of")
    assert found["comparisons"][0]["text"].startswith("Not told from chance")


def test_two_runs_are_compared_question_by_question(
    commands: Commands, tmp_path: Path, done: Done
) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(done.out)
    changed = json.loads(done.out)
    changed["questions"][0]["traces"]["hybrid"]["scores"]["ndcg@10"] = 0.5
    after.write_text(json.dumps(changed))

    compared = commands("eval", "compare", before, after)
    assert compared.out.startswith("Not told from chance: after against before -0.125 ndcg@10")
    assert "0 questions better, 1 worse, 3 alike" in compared.out


@pytest.fixture(scope="module")
def manuals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manuals")
    (folder / "boats.md").write_text(
        "# Boats of the harbor\n\n## Ferry timetable in winter\n\nThe ferry Kittiwake leaves the"
        " northern pier at 07:40 on weekdays between November and March.\n\n## Mooring fees\n\n"
        "Visiting yachts pay Marlene Voss eleven crowns for every night beside the granary.\n"
    )
    (folder / "bakery.md").write_text(
        "# The old bakery\n\n## Oven repairs\n\nMason Ruben Achterberg relined the eastern oven"
        " with basalt bricks during 1987 before Easter.\n\n## Recipes that were sold\n\nRye loaves"
        " needed caraway seeds, molasses and cellar yeast from Dunmore village.\n"
    )
    return folder


def test_questions_are_made_of_a_folder_and_measured(
    commands: Commands, manuals: Path, tmp_path: Path
) -> None:
    made = commands("eval", "make", manuals, "-o", tmp_path / "set", "-n", "6", "-q")
    again = commands("eval", "make", manuals, "-o", tmp_path / "set", "-q")
    measured = commands("eval", tmp_path / "set", "-q", "--leg", "words", "--json")

    lines = [json.loads(line) for line in (tmp_path / "set" / "qa.jsonl").read_text().splitlines()]
    assert "questions with answers" in made.out
    assert {line["doc"] for line in lines if line["answerable"]} == {"boats.md", "bakery.md"}
    assert again.code == 2
    assert "is there already" in again.said
    found = json.loads(measured.out)
    assert found["grain"] == "passage"
    assert found["queries"] == sum(line["answerable"] for line in lines)
    assert found["recall@10"] == 1


def test_a_quotation_that_somebody_broke_is_told_and_left_out(
    commands: Commands, manuals: Path, tmp_path: Path
) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    (place / "set.json").write_text(json.dumps({"paths": [str(manuals)], "made_by": "me"}))
    good = {"doc": "boats.md", "quote": "The ferry Kittiwake leaves the northern pier"}
    bad = {"doc": "boats.md", "quote": "The ferry Puffin leaves"}
    rows = [
        {"_id": "1", "question": "when does the ferry leave", "evidence": [good]},
        {"_id": "2", "question": "when does the puffin leave", "evidence": [bad]},
    ]
    (place / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))

    found = json.loads(commands("eval", place, "-q", "--leg", "words", "--json").out)
    assert found["queries"] == 1
    assert found["left_out"] == ["question 2: its quotation is not in the document"]


def test_a_collection_of_ones_own_is_asked_as_it_is(
    commands: Commands, manuals: Path, tmp_path: Path
) -> None:
    commands("ingest", manuals, "-C", "manuals", "-q")
    made = commands("eval", "make", "-C", "manuals", "-o", tmp_path / "own-set", "-n", "4", "-q")
    found = commands("eval", tmp_path / "own-set", "-q", "--json")
    refused = commands("eval", tmp_path / "own-set", "-q", "--tune")

    assert made.code == 0
    assert json.loads(found.out)["recall@10"] == 1
    assert refused.code == 2
    assert "which is asked as it is" in refused.said


@pytest.fixture
def chat(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMistral]:
    """A chat model; all else is embedded."""
    fake = FakeMistral()
    with served(fake) as url:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("MISTRAL_API_KEY", KEY)
        monkeypatch.setenv("RAG_MISTRAL_BASE_URL", url)
        monkeypatch.setenv("RAG_ANSWER_PROVIDER", "mistral")
        yield fake
    assert fake.mistakes == []


def test_a_chat_model_words_questions_and_its_answers_are_judged(
    commands: Commands, chat: FakeMistral, tmp_path: Path
) -> None:
    """The third passage's quotation is invented, and its question is not kept."""
    folder = tmp_path / "notes"
    folder.mkdir()
    filler = "It stood there for many years, and nobody in the village minded it at all. " * 3
    for name, fact in {"a": "crane", "b": "chapel", "c": "cistern"}.items():
        (folder / f"{name}.md").write_text(f"# Notes\n\nThe {fact} was built by Ada. {filler}\n")
    chat.script += [worded(0), worded(1), worded(2)]

    unasked = commands("eval", "make", folder, "-o", tmp_path / "no", "--chat", "-q")
    made = commands(
        "eval", "make", folder, "-o", tmp_path / "set", "-n", "3", "--unanswerable", "1",
        "--chat", "--yes", "-q",
    )  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "set" / "qa.jsonl").read_text().splitlines()]
    assert unasked.code == 2
    assert "add --yes" in unasked.said
    assert "costs at most $0.0" in made.said
    assert [row["answerable"] for row in rows] == [True, True, False]
    assert {row["evidence"][0]["quote"] for row in rows[:2]} == {"was built by Ada"}

    measured = commands("eval", tmp_path / "set", "-q", "--leg", "words", "--answers", "--json")
    found = json.loads(measured.out)
    assert found["answers"]["answerer"].startswith("mistral-")
    assert found["quotations_exact"] == 1
    assert float(found["cost_usd"]) > 0
    assert found["made_by"].startswith("mistral-")


def worded(number: int) -> str:
    quote = "was dug by Bo" if number == 2 else "was built by Ada"
    asked = {"question": f"Who made it, number {number}?", "quote": quote, "unanswered": "Why?"}
    return json.dumps(asked)
