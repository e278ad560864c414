"""Code: states whose files are there, contents that can be read, and the vectors that they have."""

import shutil
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rag.storage.batches import batches
from rag.storage.checking.findings import Findings, Holdings, mendable, some_of
from rag.storage.code.forgetting import drop_contents, drop_vectors, each_digest, used_digests
from rag.storage.code.tables import (
    CardsRow,
    CodeEmbeddingRow,
    CodeFileRow,
    ContentRow,
    RepositoryRow,
    SnapshotRow,
)
from rag.storage.code.words import ASIDE, MARK
from rag.storage.database import Database
from rag.syntax.outline import Outline

AT_A_TIME = 500  # contents or vectors read in one transaction: some MB
NEAR = 1e-3  # by which the length of a vector may differ from 1

Ref = tuple[str, str]
"""Id of a repository, and a ref of it."""


def check_code(held: Holdings) -> Findings:
    damaged = set(_damaged_contents(held.database))
    lost = _states_without(held.database, damaged)
    if damaged or lost:
        named = some_of(sorted(ref or "its folder" for _, ref in lost)) or "no ref"
        yield mendable(
            "code",
            f"{len(damaged):,} contents of code cannot be read, and files are missing of: {named}",
            "these refs are forgotten; index them again",
            partial(_forget, held.database, lost, damaged),
        )
    yield from _vectors(held)
    with held.database.read() as session:
        known = set(session.scalars(select(RepositoryRow.id)))
    folders = (held.data_dir / "code").glob("*")
    left = [path for path in folders if path.name.removesuffix(ASIDE) not in known]
    if left:
        what = f"{len(left):,} word indexes are of repositories that are gone"
        yield mendable("code", what, "they are removed", partial(_remove, left))


def _vectors(held: Holdings) -> Findings:
    with held.database.read() as session:
        models = set(session.scalars(select(CodeEmbeddingRow.model).distinct()))
        models |= set(session.scalars(select(CardsRow.model).distinct()))
    for model in sorted(models):
        sound, damaged = _judged(held.database, model)
        with held.database.read() as session:
            used = used_digests(session, model)
        if used - sound:
            yield mendable(
                "code",
                f"{len(used - sound):,} vectors of code are missing or damaged",
                "what they stand for is embedded anew",
                partial(_embed_anew, held.database, model, used - sound),
            )
        if strays := (sound | damaged) - used:
            yield mendable(
                "code",
                f"{len(strays):,} vectors of code belong to nothing; a run that was broken off"
                " leaves some",
                "they are removed",
                partial(_drop, held.database, model, strays),
            )


def _judged(database: Database, model: str) -> tuple[set[bytes], set[bytes]]:
    """Digests of the vectors that are as they should be, and of those that are not."""
    sound, damaged, last = set[bytes](), set[bytes](), b""
    while True:
        with database.read() as session:
            rows = session.execute(
                select(
                    CodeEmbeddingRow.text_sha256,
                    CodeEmbeddingRow.dimension,
                    CodeEmbeddingRow.vector,
                )
                .where(CodeEmbeddingRow.model == model, CodeEmbeddingRow.text_sha256 > last)
                .order_by(CodeEmbeddingRow.text_sha256)
                .limit(AT_A_TIME)
            ).all()
        if not rows:
            return sound, damaged
        for digest, dimension, vector in rows:
            (sound if _is_sound(vector, dimension) else damaged).add(digest)
        last = rows[-1].text_sha256


def _is_sound(vector: bytes, dimension: int) -> bool:
    if len(vector) != 4 * dimension:
        return False
    length = float(np.linalg.norm(np.frombuffer(vector, "<f4")))
    return abs(length - 1) < NEAR


def _damaged_contents(database: Database) -> Iterator[int]:
    last = 0
    while True:
        with database.read() as session:
            rows = session.execute(
                select(ContentRow.id, ContentRow.outline, ContentRow.text, ContentRow.chunks)
                .where(ContentRow.id > last)
                .order_by(ContentRow.id)
                .limit(AT_A_TIME)
            ).all()
        if not rows:
            return
        for id, outline, text, chunks in rows:
            if not _is_readable(outline, text, chunks):
                yield id
        last = rows[-1].id


def _is_readable(outline: bytes, text: bytes, chunks: int) -> bool:
    try:
        known = msgspec.msgpack.decode(zlib.decompress(outline), type=Outline)
        whole = zlib.decompress(text).decode("utf-8", errors="surrogatepass")
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return len(known.chunks) == chunks and all(each.end <= len(whole) for each in known.chunks)


def _states_without(database: Database, damaged: set[int]) -> list[Ref]:
    """Refs that name files which are not there, or whose contents are damaged."""
    with database.read() as session:
        sound = {
            id
            for id, content in session.execute(select(CodeFileRow.id, CodeFileRow.content_id))
            if content not in damaged
        }
        rows = session.execute(
            select(SnapshotRow.repository_id, SnapshotRow.ref, SnapshotRow.files)
        ).all()
    return [(row.repository_id, row.ref) for row in rows if not sound.issuperset(_ids(row.files))]


def _ids(packed: bytes) -> list[int]:
    try:
        return [int(id) for id in np.frombuffer(zlib.decompress(packed), "<i8")]
    except (zlib.error, ValueError):
        return [MARK]  # which no file has


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _forget(database: Database, refs: list[Ref], contents: set[int]) -> None:
    with database.write() as session:
        for repository, ref in refs:
            session.execute(
                delete(SnapshotRow).where(
                    SnapshotRow.repository_id == repository, SnapshotRow.ref == ref
                )
            )
            _count_change(session, repository)
        for some in batches(sorted(contents)):
            session.execute(delete(CodeFileRow).where(CodeFileRow.content_id.in_(some)))
        drop_contents(session, sorted(contents))


def _count_change(session: Session, repository: str) -> None:
    row = session.get(RepositoryRow, repository)
    if row is not None:
        row.changes += 1


def _embed_anew(database: Database, model: str, bad: set[bytes]) -> None:
    with database.write() as session:
        rows = session.execute(
            select(CardsRow.content_id, CardsRow.digests).where(CardsRow.model == model)
        ).all()
        hit = [row.content_id for row in rows if bad.intersection(each_digest(row.digests))]
        for some in batches(hit):
            is_one = CardsRow.content_id.in_(some), CardsRow.model == model
            session.execute(delete(CardsRow).where(*is_one))
        drop_vectors(session, model, bad)


def _drop(database: Database, model: str, strays: set[bytes]) -> None:
    with database.write() as session:
        drop_vectors(session, model, strays - used_digests(session, model))
