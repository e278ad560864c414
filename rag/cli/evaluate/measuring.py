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
from rag.cli.evaluate.library import Bench, cut, fill, spent_at, throwaway
from rag.cli.evaluate.texts import located
from rag.errors import InvalidRequest
from rag.evaluation.answers import Answers
from rag.evaluation.runs import Asked, Run
from rag.evaluation.scoring import Spans, documents_of
from rag.settings import load_settings
from rag.sources.found import Found


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


class Stage(Struct, frozen=True):
    """What all parts of an evaluation have in common."""

    ground: Ground
    plan: Plan
    ids: Mapping[str, str] = {}
    """Of documents in the set, by the keys of their files, where the two differ."""


class Part(Struct, frozen=True):
    """What was asked while the documents were cut in one way."""

    exam: Exam
    lost: Sequence[str]
    """What of the set could not be asked, and why."""
    askings: Sequence[Asking]
    answers: Answers | None
    spent: Decimal
    """USD, by all that the library cost so far."""


async def measure(ground: Ground, plan: Plan) -> Run:
    """
    Raises:
        RagError: no document could be read, or a question could not be asked.
    """
    if ground.collection is not None:
        return await _measure_in_place(Stage(ground, plan), ground.collection)
    with tempfile.TemporaryDirectory(prefix="rag-eval-") as scratch:
        folder = Path(scratch) / "documents"
        ids = {} if ground.paths else write_files(ground.judged.passages, folder)
        files = found_files(ground.paths or (folder,))
        settings = throwaway(plan.keep or Path(scratch) / "library")
        bench = Bench(settings, library_name(files), len(files))
        bench, parts = await _fill_and_ask(Stage(ground, plan, ids), bench, files)
    run = run_of(ground, bench, parts)
    if plan.keep is None:
        return run
    return replace(run, library=str(plan.keep.resolve()), collection=bench.collection)


async def _fill_and_ask(
    stage: Stage, bench: Bench, files: Sequence[Found]
) -> tuple[Bench, list[Part]]:
    """A library is closed once after it changed, so that all has settled before it is asked."""
    plan = stage.plan
    parts: list[Part] = []
    for size, some in groupby(plan.ways, key=lambda way: way.chunk_tokens):
        ways = tuple(some)
        async with open_door(bench.settings) as door:
            if not parts:
                bench = await fill(bench, files, door, yes=plan.yes, quiet=plan.quiet)
            bench = await cut(bench, size, door, quiet=plan.quiet)
            if bench.is_settled:
                parts.append(await _ask(stage, bench, ways, door))
                continue
        async with open_door(bench.settings) as door:
            parts.append(await _ask(stage, bench, ways, door))
        bench = replace(bench, is_settled=True)
    return bench, parts


async def _measure_in_place(stage: Stage, collection: str) -> Run:
    """Of a library that is somebody's own: it is only asked.

    Raises:
        InvalidRequest: something in it would have to be changed.
    """
    if any(way != Way(way.mode) for way in stage.plan.ways):
        raise InvalidRequest(
            f"the set is about the collection {collection!r}, which is asked as it is: name the"
            " files of its documents under `paths` in set.json to try other settings"
        )
    settings = load_settings(os.environ)
    async with open_door(settings) as door:
        found = await door.call("GET", f"/v1/collections/{collection}")
        bench = Bench(settings, collection, found["documents"], await spent_at(door))
        part = await _ask(stage, bench, stage.plan.ways, door)
    home = str(Path(settings.data_dir).expanduser().resolve())
    return replace(run_of(stage.ground, bench, [part]), library=home, collection=collection)


async def _ask(stage: Stage, bench: Bench, ways: Sequence[Way], door: Door) -> Part:
    """
    Raises:
        InvalidRequest: there is nothing to ask, or nothing to search by.
    """
    plan = stage.plan
    exam, lost = await _examined(stage, bench, door)
    askings = await _ask_ways(exam, ways, door, quiet=plan.quiet)
    is_first = ways[0] == plan.ways[0]
    answers = await _answers(stage, exam, door) if plan.answers and is_first else None
    return Part(exam, lost, askings, answers, await spent_at(door))


async def _examined(stage: Stage, bench: Bench, door: Door) -> tuple[Exam, Sequence[str]]:
    """What is asked, and what of the set cannot be.

    Raises:
        InvalidRequest: nothing can be.
    """
    judged, plan = stage.ground.judged, stage.plan
    spans: Mapping[str, Spans] = {}
    lost: Sequence[str] = ()
    scored = judged.scored
    if judged.grain == "passage":
        keys = {id: key for key, id in stage.ids.items()}
        spans, lost = await located(scored, keys, bench.collection, door, quiet=plan.quiet)
        scored = tuple(each for each in scored if each.id in spans)
    if not scored:
        raise InvalidRequest(f"no evidence of this set is in the documents: {lost[0]}")
    return Exam(scored, judged.grain, bench.collection, stage.ids, spans, plan.cutoffs), lost


async def _ask_ways(exam: Exam, ways: Sequence[Way], door: Door, *, quiet: bool) -> list[Asking]:
    collection = await door.call("GET", exam.path)
    if collection["embedding_model"] is None:
        ways = [way for way in ways if way.mode == "words"]
        if not ways:
            raise InvalidRequest("no model is there to search by meaning: only --leg words can be")
    return [await ask(exam, way, door, quiet=quiet) for way in ways]


async def _answers(stage: Stage, exam: Exam, door: Door) -> Answers:
    """Where pages are judged, a question was asked on one document, and says "the report"."""
    return await answer_all(
        stage.ground.judged.questions,
        exam.collection,
        exam.ids,
        door,
        inside=exam.grain == "page",
        hide=stage.plan.hide,
        quiet=stage.plan.quiet,
    )


def run_of(ground: Ground, bench: Bench, parts: Sequence[Part]) -> Run:
    exam = parts[0].exam
    askings = [asking for part in parts for asking in part.askings]
    keys = {id: key for key, id in exam.ids.items()}
    questions = tuple(
        Asked(
            question.id,
            question.text,
            {each.arm.setting.name: each.traces[question.id] for each in askings},
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
        cost_usd=str(parts[-1].spent - bench.spent),
        version=__version__,
        made_by=ground.made_by,
        answers=next((part.answers for part in parts if part.answers), None),
        left_out=(*bench.troubles, *parts[0].lost),
    )
