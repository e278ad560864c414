"""The story of an evaluation: a set -> a library filled with it -> questions asked -> a run."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from rag import __version__
from rag.cli.door import Door, open_door
from rag.cli.evaluate.answering import answer_all
from rag.cli.evaluate.asking import Asking, Exam, Way, ask
from rag.cli.evaluate.folders import Ground, found_files, library_name, write_files
from rag.cli.evaluate.library import Bench, cut, fill, throwaway
from rag.cli.evaluate.texts import located
from rag.errors import InvalidRequest
from rag.evaluation.answers import Answers
from rag.evaluation.runs import Asked, Run
from rag.evaluation.scoring import Spans, documents_of
from rag.settings import load_settings


class Plan(Struct, frozen=True):
    """What is measured, and how."""

    ways: tuple[Way, ...]
    """All others are compared with the first."""
    cutoffs: tuple[int, ...] = (10, 100)
    answers: bool = False
    """Whether questions are answered too, those that nothing answers among them."""
    hide: bool = False
    """Whether every other answerable question is answered without its document."""
    keep: Path | None = None
    """Where the library stays."""
    yes: bool = False
    """Whether documents may cost something, without a question."""
    quiet: bool = False


async def measure(ground: Ground, plan: Plan) -> Run:
    """
    Raises:
        RagError: no document could be read, or a question could not be asked.
    """
    if ground.collection is not None:
        return await _measure_in_place(ground, ground.collection, plan)
    with tempfile.TemporaryDirectory(prefix="rag-eval-") as scratch:
        folder = Path(scratch) / "documents"
        ids = {} if ground.paths else write_files(ground.judged.passages, folder)
        files = found_files(ground.paths or (folder,))
        settings = throwaway(plan.keep or Path(scratch) / "library")
        empty = Bench(settings, library_name(files), len(files))
        bench = await fill(empty, files, yes=plan.yes, quiet=plan.quiet)
        askings: list[Asking] = []
        answers: Answers | None = None
        for size, ways in groupby(plan.ways, key=lambda way: way.chunk_tokens):
            await cut(bench, size, quiet=plan.quiet)
            async with open_door(bench.settings) as door:
                exam, lost = await _examined(ground, bench, ids, plan, door)
                askings += await _ask_ways(exam, tuple(ways), door, quiet=plan.quiet)
                if plan.answers and answers is None:  # by the first setting
                    answers = await _answers(ground, exam, plan, door)
                usage = await door.call("GET", "/v1/usage")
    run = run_of(ground, exam, bench, askings, lost)
    if plan.keep is not None:
        run = replace(run, library=str(plan.keep.resolve()), collection=bench.collection)
    return replace(run, answers=answers, cost_usd=str(usage["total"]["usd"]))


async def _measure_in_place(ground: Ground, collection: str, plan: Plan) -> Run:
    """Of a library that is somebody's own: it is only asked.

    Raises:
        InvalidRequest: something in it would have to be changed.
    """
    if any(way != Way(way.mode) for way in plan.ways):
        raise InvalidRequest(
            f"the set is about the collection {collection!r}, which is asked as it is: name the"
            " files of its documents under `paths` in set.json to try other settings"
        )
    settings = load_settings(os.environ)
    async with open_door(settings) as door:
        before = await door.call("GET", "/v1/usage")
        found = await door.call("GET", f"/v1/collections/{collection}")
        bench = Bench(settings, collection, found["documents"])
        exam, lost = await _examined(ground, bench, {}, plan, door)
        askings = await _ask_ways(exam, plan.ways, door, quiet=plan.quiet)
        answers = await _answers(ground, exam, plan, door) if plan.answers else None
        after = await door.call("GET", "/v1/usage")
    cost = Decimal(after["total"]["usd"]) - Decimal(before["total"]["usd"])
    return replace(
        run_of(ground, exam, bench, askings, lost),
        answers=answers,
        cost_usd=str(cost),
        library=str(Path(settings.data_dir).expanduser().resolve()),
        collection=collection,
    )


async def _examined(
    ground: Ground, bench: Bench, ids: Mapping[str, str], plan: Plan, door: Door
) -> tuple[Exam, Sequence[str]]:
    """What is asked, and what of the set cannot be.

    Raises:
        InvalidRequest: nothing can be.
    """
    judged = ground.judged
    spans: Mapping[str, Spans] = {}
    lost: Sequence[str] = ()
    scored = judged.scored
    if judged.grain == "passage":
        keys = {id: key for key, id in ids.items()}
        spans, lost = await located(scored, keys, bench.collection, door, quiet=plan.quiet)
        scored = tuple(each for each in scored if each.id in spans)
    if not scored:
        raise InvalidRequest(f"no evidence of this set is in the documents: {lost[0]}")
    return Exam(scored, judged.grain, bench.collection, ids, spans, plan.cutoffs), lost


async def _ask_ways(exam: Exam, ways: Sequence[Way], door: Door, *, quiet: bool) -> list[Asking]:
    collection = await door.call("GET", exam.path)
    if collection["embedding_model"] is None:
        ways = [way for way in ways if way.mode == "words"]
        if not ways:
            raise InvalidRequest("no model is there to search by meaning: only --leg words can be")
    return [await ask(exam, way, door, quiet=quiet) for way in ways]


async def _answers(ground: Ground, exam: Exam, plan: Plan, door: Door) -> Answers:
    """Where pages are judged, a question was asked on one document, and says "the report"."""
    return await answer_all(
        ground.judged.questions,
        exam.collection,
        exam.ids,
        door,
        inside=exam.grain == "page",
        hide=plan.hide,
        quiet=plan.quiet,
    )


def run_of(
    ground: Ground,
    exam: Exam,
    bench: Bench,
    askings: Sequence[Asking],
    lost: Sequence[str],
) -> Run:
    names = [each.arm.setting.name for each in askings]
    keys = {id: key for key, id in exam.ids.items()}
    questions = tuple(
        Asked(
            question.id,
            question.text,
            {name: each.traces[question.id] for name, each in zip(names, askings, strict=True)},
            askings[0].first[question.id],
            tuple(keys.get(doc, doc) for doc in documents_of(question)),
        )
        for question in exam.questions
    )
    return Run(
        ground.name,
        exam.grain,
        len(questions),
        bench.documents - len(bench.troubles),
        tuple(each.arm for each in askings),
        questions,
        digest=ground.digest,
        seconds=bench.seconds,
        version=__version__,
        made_by=ground.made_by,
        left_out=(*bench.troubles, *lost),
    )
