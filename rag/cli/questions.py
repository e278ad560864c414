"""Questions from the command line or from a file of JSON lines, and their answers in order."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct, field

from rag.errors import InvalidRequest

queries_option = click.option(
    "--queries",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON lines {"id", "text"}: one JSON line out for each.',
)
mode_option = click.option(
    "--mode",
    type=click.Choice(["hybrid", "dense", "words"]),
    default="hybrid",
    show_default=True,
    help="By meaning and words, by meaning alone, or by words alone.",
)


class Asked(Struct, frozen=True):
    """A line of a questions file; further fields are ignored."""

    text: str
    id: str | None = None


def one_or_many(text: str | None, file: Path | None) -> Sequence[Asked]:
    """
    Raises:
        InvalidRequest: neither or both were given, or a line of the file is not a question.
    """
    if (text is None) == (file is None):
        raise InvalidRequest("give either one question or a file of them")
    if file is None:
        return [Asked(text or "")]
    asked = []
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                asked.append(msgspec.json.decode(line, type=_Line).asked())
            except msgspec.DecodeError as error:
                raise InvalidRequest(f"{file}, line {number}: {error}") from error
    return asked


class _Line(Struct, frozen=True):
    """As written by others: the BEIR layout has `_id`, question sets have `question`."""

    id: str | int | None = None
    beir_id: str | int | None = field(name="_id", default=None)
    text: str | None = None
    question: str | None = None

    def asked(self) -> Asked:
        text = self.text if self.text is not None else self.question
        if text is None:
            raise msgspec.DecodeError('no "text" in it')
        known = self.id if self.id is not None else self.beir_id
        return Asked(text, None if known is None else str(known))


async def answer_each(
    asked: Sequence[Asked],
    one: Callable[[Asked], Awaitable[dict[str, Any]]],
    as_json: bool,
    shown: Callable[[dict[str, Any]], None],
) -> None:
    """Asks one after another; a JSON line each, or for people."""
    for question in asked:
        result = await one(question)
        if not as_json:
            shown(result)
            continue
        if question.id is not None:
            result = {"question_id": question.id, **result}
        click.echo(msgspec.json.encode(result).decode())
