"""A folder with judged questions -> the set, and its documents as files to ingest."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from rag.cli.evaluate.setfiles import MANIFEST, Manifest, read_manifest_of
from rag.errors import InvalidRequest
from rag.evaluation.sets import (
    JudgedSet,
    Passage,
    joined,
    parse_corpus,
    parse_qrels,
    parse_queries,
    parse_questions,
)
from rag.sources.folder import look
from rag.sources.found import Found

CORPUS, QUERIES, QRELS, ASKED = "corpus.jsonl", "queries.jsonl", "qrels.tsv", "qa.jsonl"

JUDGMENTS = (QRELS, "qrels/test.tsv", "qrels/dev.tsv")
"""Where judgments lie, in other people's copies too; the first there is counts."""

FILES = ("documents", "pdfs", "files")
"""Folders of documents that are files of their own."""

LONGEST_NAME = 200  # bytes of a file's name, of the 255 that file systems take


class Ground(Struct, frozen=True):
    """A set, and what is to be ingested for it."""

    name: str
    judged: JudgedSet
    digest: str
    """Of all that was read; the same questions and judgments, the same digest."""
    paths: tuple[Path, ...] = ()
    """Files and folders of its documents; none where they are lines of the set."""
    collection: str | None = None
    """That has its documents already, in the user's own library."""
    made_by: str = ""


def read_folder(folder: Path, queries: Path | None = None) -> Ground:
    """
    Args:
        queries: to be asked instead of the folder's own, as in another language; judged alike.

    Raises:
        InvalidRequest: there is no set, or a line of it is not like that.
    """
    corpus, asked = folder / CORPUS, folder / ASKED
    own = queries or folder / QUERIES
    judgments = next((folder / name for name in JUDGMENTS if (folder / name).is_file()), None)
    manifest = read_manifest_of(folder) or Manifest(
        tuple(str(folder / name) for name in FILES if (folder / name).is_dir())[:1]
    )
    if not (corpus.is_file() or manifest.paths or manifest.collection):
        raise InvalidRequest(_no_set(folder))
    read = [path for path in (corpus, own, judgments, asked) if path and path.is_file()]
    if judgments is None and asked not in read:
        raise InvalidRequest(f"{folder} has documents, but neither {QRELS} nor {ASKED}")
    contents = {path: path.read_bytes() for path in read}
    judged = joined(
        parse_queries(str(own), contents[own]) if judgments and own in read else {},
        parse_qrels(str(judgments), contents[judgments]) if judgments else {},
        parse_questions(str(asked), contents[asked]) if asked in read and not queries else (),
        parse_corpus(str(corpus), contents[corpus]) if corpus in read else (),
    )
    name = folder.resolve().name + (f", asked by {queries.parent.name}" if queries else "")
    if corpus in read:
        return Ground(name, judged, _digest(contents.values()))
    paths = tuple(folder / path for path in manifest.paths)
    made_by = manifest.made_by if (folder / MANIFEST).exists() else ""
    return Ground(name, judged, _digest(contents.values()), paths, manifest.collection, made_by)


def drawn(ground: Ground, sample: int | None) -> Ground:
    """So many of its questions, or all: an id decides whether it is among them, so that a smaller
    sample is part of a larger one, and those of two runs are the same."""
    questions = ground.judged.questions
    if sample is None or sample >= len(questions):
        return ground
    chosen = {id for _, id in sorted((_chance(each.id), each.id) for each in questions)[:sample]}
    kept = tuple(each for each in questions if each.id in chosen)
    return replace(ground, judged=replace(ground.judged, questions=kept))


def _chance(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()


def write_files(passages: Sequence[Passage], folder: Path) -> dict[str, str]:
    """A markdown file for each, its title as heading.

    Returns:
        Ids by the keys the files are ingested under.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = {}
    for passage in passages:
        name = f"{_file_name(passage.id)}.md"
        heading = f"# {passage.title}\n\n" if passage.title else ""
        (folder / name).write_text(f"{heading}{passage.text}\n")
        ids[name] = passage.id
    return ids


def found_files(paths: Sequence[Path]) -> tuple[Found, ...]:
    """
    Raises:
        InvalidRequest: there is none.
    """
    found = look([str(path.resolve()) for path in paths]).files
    if not found:
        raise InvalidRequest(f"there is no document in {', '.join(map(str, paths))}")
    return found


def library_name(files: Sequence[Found]) -> str:
    """Of the collection that holds just these documents, as they are now."""
    digest = hashlib.sha256()
    for each in sorted(files, key=lambda each: each.key):
        digest.update(each.key.encode() + b"\0")
        digest.update(hashlib.sha256(each.path.read_bytes()).digest())
    return f"set-{digest.hexdigest()[:16]}"


def _file_name(id: str) -> str:
    name = quote(id, safe=" ")
    if name.startswith("."):  # would be hidden
        name = f"%2E{name[1:]}"
    if len(name) <= LONGEST_NAME:
        return name
    return name[: LONGEST_NAME - 17] + "-" + hashlib.sha256(id.encode()).hexdigest()[:16]


def _no_set(folder: Path) -> str:
    inside = sorted(
        {path.parent.name for name in (CORPUS, ASKED) for path in folder.glob(f"*/{name}")}
    )
    if inside:
        return f"{folder} is no set itself, but has some in it: {', '.join(inside)}"
    return (
        f"{folder} holds no set: neither {CORPUS} nor a folder {' or '.join(FILES)} with"
        f" documents; `rag eval make` makes one of your own documents"
    )


def _digest(contents: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]
