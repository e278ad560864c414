"""The files of a set that was made here: questions, where their documents are, and a word to who
reads them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rag.errors import InvalidRequest
from rag.evaluation.making import Made

MANIFEST, ASKED, README = "set.json", "qa.jsonl", "README.md"


class Manifest(Struct, frozen=True, omit_defaults=True):
    """Where the documents of a set are."""

    paths: tuple[str, ...] = ()
    """Files and folders, which are ingested for every evaluation."""
    collection: str | None = None
    """Of the library that the environment names, which is asked as it is."""
    seed: int | None = None
    made_by: str = "rag"
    """What worded the questions: this program, or a model's id."""


def read_manifest_of(folder: Path) -> Manifest | None:
    """
    Raises:
        InvalidRequest: it is none.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{path}: {error}") from error


def write_set(folder: Path, manifest: Manifest, made: Sequence[Made]) -> None:
    """
    Raises:
        InvalidRequest: there are questions already, which somebody may have edited.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / ASKED).exists():
        raise InvalidRequest(
            f"{folder / ASKED} is there already; remove it, or name another folder"
        )
    lines = [json.dumps(_line(each), ensure_ascii=False) for each in made]
    (folder / ASKED).write_text("".join(f"{line}\n" for line in lines))
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(encoded + b"\n")
    (folder / README).write_text(_explained(manifest, made))


def _line(made: Made) -> dict[str, Any]:
    asked = made.question
    line: dict[str, Any] = {
        "_id": asked.id,
        "question": asked.text,
        "answerable": asked.answerable,
        "answers": asked.answers,
        "made_from": made.kind,
    }
    if asked.evidence:
        line["doc"] = asked.document
        line["evidence"] = [
            {"doc": each.doc, "quote": each.quote} | ({"page": each.page} if each.page else {})
            for each in asked.evidence
        ]
    return line


def _explained(manifest: Manifest, made: Sequence[Made]) -> str:
    answerable = sum(each.question.answerable for each in made)
    where = f"the collection `{manifest.collection}`" if manifest.collection else "the documents"
    by_program = manifest.made_by == "rag"
    caution = (
        "The questions were worded by a program out of the documents' own words, which favors the"
        " search by words over the search by meaning.\nReplace some by questions that people"
        " really ask, and their figures will tell more.\n"
    )
    return (
        f"# {answerable} questions with answers, {len(made) - answerable} without\n\n"
        f"Measured by `rag eval` on this folder, against {where} named in `{MANIFEST}`.\n\n"
        f"`{ASKED}` has a line for each question; edit, add and remove lines freely.\n"
        "`evidence` quotes the document that answers it: a hit counts when it holds the larger"
        " part of a quotation.\n"
        "A question with `answerable` false should be refused.\n"
        "It was made by changing a word: look whether anything answers it after all.\n\n"
        + (caution if by_program else f"The questions were worded by {manifest.made_by}.\n")
    )
