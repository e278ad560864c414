"""`rag eval make`: judged questions out of somebody's own documents."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
from msgspec import Struct

from rag.cli import show
from rag.cli.door import Door, open_door, run
from rag.cli.evaluate.folders import found_files, library_name
from rag.cli.evaluate.library import Bench, fill, throwaway
from rag.cli.evaluate.setfiles import ASKED, Manifest, write_set
from rag.cli.evaluate.texts import listed, texts_of
from rag.cli.evaluate.worded import word
from rag.domain import Document, Judged
from rag.errors import InvalidRequest
from rag.evaluation.feedback import cases
from rag.evaluation.making import Made, make

MOST_DOCUMENTS = 500
"""Drawn from a collection that has more: questions are spread over them, and their texts are held
in memory."""


class Wish(Struct, frozen=True):
    """What the command line says."""

    answerable: int
    unanswerable: int
    seed: int
    chat: bool
    yes: bool
    quiet: bool


@click.command("make")
@click.argument(
    "paths", nargs=-1, metavar="[PATH]...", type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the set.",
)
@click.option("-C", "--collection", default="default", show_default=True, help="Without a PATH.")
@click.option("-n", "answerable", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option(
    "--unanswerable",
    type=click.IntRange(0, 10_000),
    help="A quarter as many as others, unless said.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the library stays that PATHs are read into.",
)
@click.option(
    "--from-feedback",
    is_flag=True,
    help="Of what people said of answers, instead of documents' own words.",
)
@click.option("--chat", is_flag=True, help="Let the chat model word them; tells the price first.")
@click.option("--yes", is_flag=True, help="Do not ask whether the price is right.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    paths: tuple[Path, ...],
    out: Path,
    collection: str,
    answerable: int,
    unanswerable: int | None,
    keep: Path | None,
    from_feedback: bool,
    **said: Any,
) -> None:
    """Make judged questions out of the files and folders PATH, or out of a collection.

    Questions come from headings and from sentences that only one document has; what nothing
    answers is among them too. The set is a folder of plain files, which `rag eval` measures on and
    anybody can edit. The same documents and the same seed give the same set.

    With --from-feedback, they are what people asked, and called right or wrong.

    With --chat, a model words a question for each of as many passages: nearer to what people ask,
    for a price, and believed only where its answer stands in the passage.
    """
    if from_feedback:
        if paths or said["chat"]:
            raise InvalidRequest("--from-feedback takes a collection, and neither PATH nor --chat")
        made = run(lambda door: _from_feedback(collection, door))
        if not made:
            raise InvalidRequest(
                f"nobody said yet what is right of answers from {collection!r}: POST"
                " /v1/answers/{id}/feedback"
            )
        write_set(out, Manifest(collection=collection, made_by="people"), made)
        _tell(out, made, 0)
        return
    lost = answerable // 4 if unanswerable is None else unanswerable
    wish = Wish(answerable=answerable, unanswerable=lost, **said)
    if paths:
        made, by = asyncio.run(_from_files(paths, keep, wish))
        named = tuple(str(path.resolve()) for path in paths)
        manifest = Manifest(paths=named, seed=wish.seed, made_by=by)
    else:
        made, by = run(lambda door: _from_collection(collection, door, wish))
        manifest = Manifest(collection=collection, seed=wish.seed, made_by=by)
    if not any(each.question.answerable for each in made):
        raise InvalidRequest(
            "no heading and no sentence of these documents is distinct enough to be asked for"
        )
    write_set(out, manifest, made)
    _tell(out, made, answerable)


async def _from_files(
    paths: tuple[Path, ...], keep: Path | None, wish: Wish
) -> tuple[tuple[Made, ...], str]:
    with tempfile.TemporaryDirectory(prefix="rag-eval-") as scratch:
        files = found_files(paths)
        bench = Bench(throwaway(keep or Path(scratch) / "library"), library_name(files))
        async with open_door(bench.settings) as door:
            await fill(bench, files, door, yes=wish.yes, quiet=wish.quiet)
            return await _from_collection(bench.collection, door, wish)


async def _from_collection(collection: str, door: Door, wish: Wish) -> tuple[tuple[Made, ...], str]:
    """Questions, and who worded them."""
    documents = await _drawn(collection, door, wish.seed, quiet=wish.quiet)
    if wish.chat:
        return await word(
            documents,
            collection,
            door,
            answerable=wish.answerable,
            unanswerable=wish.unanswerable,
            seed=wish.seed,
            yes=wish.yes,
            quiet=wish.quiet,
        )
    made = make(
        documents, answerable=wish.answerable, unanswerable=wish.unanswerable, seed=wish.seed
    )
    return made, "rag"


async def _from_feedback(collection: str, door: Door) -> tuple[Made, ...]:
    judged = [msgspec.convert(each, Judged) async for each in door.listing("/v1/feedback")]
    return cases(judged, await listed(collection, door))


async def _drawn(collection: str, door: Door, seed: int, *, quiet: bool) -> list[Document]:
    """
    Raises:
        InvalidRequest: the collection is empty.
    """
    keys = sorted(await listed(collection, door))
    if not keys:
        raise InvalidRequest(f"there is no document in {collection!r} to ask questions about")
    chosen = np.random.default_rng(seed).permutation(len(keys))[:MOST_DOCUMENTS]
    return await texts_of((keys[n] for n in chosen), collection, door, quiet=quiet)


def _tell(out: Path, made: tuple[Made, ...], wanted: int) -> None:
    answerable = sum(each.question.answerable for each in made)
    show.results.print(
        f"{answerable:,} questions with answers and {len(made) - answerable:,} without:"
        f" {out / ASKED}"
    )
    if answerable < wanted:
        show.aside.print(f"The documents gave no more than {answerable:,}.", style="yellow")
    show.aside.print(f"Look through them, then: rag eval {out}", style="green")
