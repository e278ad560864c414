"""The story of an evaluation: a set -> a library filled with it -> questions asked -> a run."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from rag import __version__
from rag.cli.door import Door, open_door
from rag.cli.evaluate.asking import Asking, Exam, Way, ask
from rag.cli.evaluate.folders import Ground, found_files, write_files
from rag.cli.evaluate.library import Bench, cut, fill, throwaway
from rag.errors import InvalidRequest
from rag.evaluation.runs import Asked, Run

LEGS = ("hybrid", "dense", "words")


class Plan(Struct, frozen=True):
    """What is measured, and how."""

    ways: tuple[Way, ...] = tuple(map(Way, LEGS))
    chunk_tokens: tuple[int | None, ...] = (None,)
    """Sizes to cut the documents to; as new collections are, where None."""
    cutoffs: tuple[int, ...] = (10, 100)
    keep: Path | None = None
    """Where the library stays."""
    quiet: bool = False


async def measure(ground: Ground, plan: Plan) -> Run:
    """
    Raises:
        RagError: no document could be read, or a question could not be asked.
    """
    with tempfile.TemporaryDirectory(prefix="rag-eval-") as scratch:
        home = plan.keep or Path(scratch) / "library"
        bench = Bench(throwaway(home), f"set-{ground.digest}")
        files = ground.files or Path(scratch) / "documents"
        ids = write_files(ground.judged.passages, files) if ground.files is None else {}
        found = found_files(files)
        bench = await fill(bench, found, quiet=plan.quiet)
        exam = Exam(
            ground.judged.scored,
            ground.judged.grain,
            bench.collection,
            ids,
            {},
            plan.cutoffs,
        )
        askings: list[Asking] = []
        for size in plan.chunk_tokens:
            await cut(bench, size, quiet=plan.quiet)
            async with open_door(bench.settings) as door:
                askings += await _ask_ways(exam, plan, size, door)
                usage = await door.call("GET", "/v1/usage")
    return run_of(ground, len(found), bench, askings, cost_usd=str(usage["total"]["usd"]))


async def _ask_ways(exam: Exam, plan: Plan, size: int | None, door: Door) -> list[Asking]:
    collection = await door.call("GET", exam.path)
    ways = plan.ways
    if collection["embedding_model"] is None:
        ways = tuple(way for way in ways if way.mode == "words")
        if not ways:
            raise InvalidRequest("no model is there to search by meaning: only --leg words can be")
    asked = []
    for way in ways:
        name = way.name if len(plan.chunk_tokens) == 1 else f"{way.name}, {size} tokens"
        asked.append(await ask(exam, way, door, name=name, quiet=plan.quiet))
    return asked


def run_of(
    ground: Ground, documents: int, bench: Bench, askings: Sequence[Asking], *, cost_usd: str
) -> Run:
    names = [each.arm.setting.name for each in askings]
    questions = tuple(
        Asked(
            question.id,
            question.text,
            {name: each.traces[question.id] for name, each in zip(names, askings, strict=True)},
            askings[0].first[question.id],
        )
        for question in ground.judged.scored
    )
    return Run(
        ground.name,
        ground.judged.grain,
        len(questions),
        documents - len(bench.troubles),
        tuple(each.arm for each in askings),
        questions,
        digest=ground.digest,
        seconds=bench.seconds,
        cost_usd=cost_usd,
        version=__version__,
        left_out=bench.troubles,
    )
