"""Repositories and their states, as rows."""

import secrets
import zlib
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from rag.domain import CodePlace
from rag.errors import Conflict, NotFound
from rag.storage.bulk import insert_new_rows
from rag.storage.code.contents import COMPRESSION, known_contents
from rag.storage.code.forgetting import drop_contents, drop_unused_files, mark_unused
from rag.storage.code.tables import (
    CodeFileRow,
    CodeWeightRow,
    ContentRow,
    RepositoryRow,
    SnapshotRow,
)
from rag.storage.timestamps import now
from rag.trees import CodeFile, LeftOut, Repository, Selection, Snapshot, Tree

FileIds = npt.NDArray[np.int64]


def create_repository(session: Session, name: str, location: str) -> Repository:
    """The one of that name, made where there is none.

    Raises:
        Conflict: another one has the name.
    """
    row = session.scalar(select(RepositoryRow).where(RepositoryRow.name == name))
    if row is not None and row.location != location:
        raise Conflict(
            f"{name!r} is the name of the repository at {row.location}; choose another with --name"
        )
    if row is not None:
        return _repository(row)
    values = {
        "id": f"repo_{secrets.token_hex(8)}",
        "name": name,
        "location": location,
        "changes": 0,
        "created_at": now(),
    }
    session.execute(insert(RepositoryRow).values(values))
    return find_repository(session, name)


def find_repository(session: Session, wanted: str) -> Repository:
    """By name, id or location.

    Raises:
        NotFound: with the names there are.
    """
    for column in (RepositoryRow.name, RepositoryRow.id, RepositoryRow.location):
        row = session.scalar(select(RepositoryRow).where(column == wanted))
        if row is not None:
            return _repository(row)
    names = ", ".join(session.scalars(select(RepositoryRow.name).order_by(RepositoryRow.name)))
    raise NotFound(
        f"no repository {wanted!r} is indexed; there are: {names}"
        if names
        else "no repository is indexed yet; `rag code index PATH` does it"
    )


def all_repositories(session: Session) -> tuple[Repository, ...]:
    rows = session.scalars(select(RepositoryRow).order_by(RepositoryRow.name))
    return tuple(map(_repository, rows))


def set_selection(session: Session, id: str, selection: Selection) -> None:
    written = msgspec.json.encode(selection).decode()
    session.execute(update(RepositoryRow).where(RepositoryRow.id == id).values(selection=written))


def set_embeds(session: Session, id: str, embeds: bool) -> None:
    """Says whether its vectors are wanted."""
    session.execute(update(RepositoryRow).where(RepositoryRow.id == id).values(embeds=embeds))


def repositories_to_embed(session: Session) -> dict[str, int]:
    """Ids of those whose vectors are wanted, each with how often it was published."""
    rows = session.execute(
        select(RepositoryRow.id, RepositoryRow.changes)
        .where(RepositoryRow.embeds)
        .order_by(RepositoryRow.created_at)
    )
    return {row.id: row.changes for row in rows}


def hold_for_embedding(session: Session, id: str, until: str) -> bool:
    """Keeps other processes away until then; False where one of them has it."""
    wanted = RepositoryRow.id == id, RepositoryRow.embeds
    held = session.scalars(select(RepositoryRow.embedded_until).where(*wanted).with_for_update())
    is_free = [by is None or by < now() for by in held]
    if is_free == [True]:
        session.execute(update(RepositoryRow).where(*wanted).values(embedded_until=until))
    return is_free == [True]


def let_go(session: Session, id: str, ours: str) -> None:
    session.execute(
        update(RepositoryRow)
        .where(RepositoryRow.id == id, RepositoryRow.embedded_until == ours)
        .values(embedded_until=None)
    )


def delete_repository(session: Session, id: str) -> None:
    """With its states. Contents and vectors that nothing else has go too: they are its text."""
    contents = list(
        session.scalars(
            select(CodeFileRow.content_id).where(CodeFileRow.repository_id == id).distinct()
        )
    )
    session.execute(delete(SnapshotRow).where(SnapshotRow.repository_id == id))
    session.execute(delete(CodeWeightRow).where(CodeWeightRow.repository_id == id))
    session.execute(delete(CodeFileRow).where(CodeFileRow.repository_id == id))
    session.execute(delete(RepositoryRow).where(RepositoryRow.id == id))
    drop_contents(session, contents)


# --- states ---


def publish_snapshot(
    session: Session, repository: Repository, tree: Tree, languages: Sequence[str]
) -> Snapshot:
    """From now on this is what the ref holds. All its contents are kept already.

    Args:
        languages: of the tree's files, in their order.
    """
    pairs = [(file.oid, language) for file, language in zip(tree.files, languages, strict=True)]
    known = known_contents(session, pairs)
    placed = [(file, known[pair]) for file, pair in zip(tree.files, pairs, strict=True)]
    searched = [(file, content) for file, content in placed if content.unwanted is None]
    left_out = [
        *tree.left_out,
        *(LeftOut(f.path, c.unwanted, f.size, f.oid) for f, c in placed if c.unwanted is not None),
    ]
    rows = [(file.path, content.id) for file, content in searched]
    insert_new_rows(
        session, CodeFileRow, {"repository_id": repository.id}, ("path", "content_id"), rows
    )
    wanted = set(rows)
    ids = sorted(
        id
        for id, path, content in session.execute(
            select(CodeFileRow.id, CodeFileRow.path, CodeFileRow.content_id).where(
                CodeFileRow.repository_id == repository.id
            )
        )
        if (path, content) in wanted
    )
    where = (SnapshotRow.repository_id == repository.id, SnapshotRow.ref == tree.ref)
    session.execute(delete(SnapshotRow).where(*where))
    session.execute(
        insert(SnapshotRow).values(
            repository_id=repository.id,
            ref=tree.ref,
            commit=tree.commit,
            dirty=tree.dirty,
            indexed_at=now(),
            seen=len(tree.files) + len(tree.left_out),
            indexed=len(ids),
            chunks=sum(content.chunks for _, content in searched),
            files=_packed(np.array(ids, "<i8").tobytes()),
            left_out=_packed(msgspec.msgpack.encode(sorted(left_out, key=lambda one: one.path))),
        )
    )
    session.execute(
        update(RepositoryRow)
        .where(RepositoryRow.id == repository.id)
        .values(changes=RepositoryRow.changes + 1)
    )
    mark_unused(session, repository.id, _in_use(session, repository))
    drop_unused_files(session, repository.id)
    return find_snapshot(session, repository, tree.ref)


def snapshots_of(session: Session, repository: Repository) -> tuple[Snapshot, ...]:
    """The last one indexed first."""
    rows = session.scalars(
        select(SnapshotRow)
        .where(SnapshotRow.repository_id == repository.id)
        .order_by(SnapshotRow.indexed_at.desc())
    )
    return tuple(_snapshot(repository, row) for row in rows)


def find_snapshot(session: Session, repository: Repository, ref: str | None) -> Snapshot:
    """
    Args:
        ref: None for the one indexed last.

    Raises:
        NotFound: with the refs there are.
    """
    known = snapshots_of(session, repository)
    for each in known:
        if ref in (None, each.ref) or (ref and each.commit and each.commit.startswith(ref)):
            return each
    refs = ", ".join(each.ref or "its folder" for each in known) or "nothing"
    raise NotFound(f"of {repository.name!r} is indexed: {refs}; not {ref!r}")


def files_of(session: Session, repository: Repository, ref: str) -> FileIds:
    packed = session.scalar(
        select(SnapshotRow.files).where(
            SnapshotRow.repository_id == repository.id, SnapshotRow.ref == ref
        )
    )
    return _ids(packed) if packed is not None else np.zeros(0, np.int64)


def has_file(session: Session, place: CodePlace) -> bool:
    """Whether the ref, as it is indexed now, has this content under this path."""
    packed = session.scalar(
        select(SnapshotRow.files).where(
            SnapshotRow.repository_id == place.repository_id, SnapshotRow.ref == place.ref
        )
    )
    ids = session.scalars(
        select(CodeFileRow.id)
        .join(ContentRow, ContentRow.id == CodeFileRow.content_id)
        .where(
            CodeFileRow.repository_id == place.repository_id,
            CodeFileRow.path == place.path,
            ContentRow.oid == place.blob,
        )
    ).all()
    return packed is not None and bool(np.isin(_ids(packed), ids).any())


def left_out_of(session: Session, repository: Repository, ref: str) -> tuple[LeftOut, ...]:
    packed = session.scalar(
        select(SnapshotRow.left_out).where(
            SnapshotRow.repository_id == repository.id, SnapshotRow.ref == ref
        )
    )
    if packed is None:
        return ()
    return msgspec.msgpack.decode(zlib.decompress(packed), type=tuple[LeftOut, ...])


def changes_of(session: Session, repository: Repository) -> int:
    """
    Raises:
        NotFound: it was deleted.
    """
    changes = session.scalar(select(RepositoryRow.changes).where(RepositoryRow.id == repository.id))
    if changes is None:
        raise NotFound(f"the repository {repository.name!r} was deleted")
    return changes


def files_in_use(session: Session, repository: Repository) -> dict[int, CodeFile]:
    """Files of any of its states, by their ids."""
    used = _in_use(session, repository)
    rows = session.execute(
        select(
            CodeFileRow.id,
            CodeFileRow.path,
            ContentRow.language,
            ContentRow.generated,
            CodeFileRow.content_id,
            ContentRow.chunks,
        )
        .join(ContentRow, ContentRow.id == CodeFileRow.content_id)
        .where(CodeFileRow.repository_id == repository.id)
    )
    return {row[0]: CodeFile(*row) for row in rows if row[0] in used}


def _in_use(session: Session, repository: Repository) -> set[int]:
    """Ids of the files of any of its states."""
    packed = session.scalars(
        select(SnapshotRow.files).where(SnapshotRow.repository_id == repository.id)
    )
    return {int(id) for each in packed for id in _ids(each)}


def _repository(row: RepositoryRow) -> Repository:
    selection = msgspec.json.decode(row.selection or "{}", type=Selection)
    return Repository(row.id, row.name, row.location, row.created_at, selection)


def _snapshot(repository: Repository, row: SnapshotRow) -> Snapshot:
    return Snapshot(
        repository.name,
        row.ref,
        row.commit,
        row.dirty,
        row.indexed_at,
        row.seen,
        row.indexed,
        row.chunks,
    )


def _ids(packed: bytes) -> FileIds:
    return np.frombuffer(zlib.decompress(packed), "<i8").astype(np.int64)


def _packed(content: bytes) -> bytes:
    return zlib.compress(content, COMPRESSION)
