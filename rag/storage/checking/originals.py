"""Original bytes: there where they are needed, what they are named for, and nobody's nowhere."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rag.domain import Version
from rag.errors import NotFound, RagError
from rag.storage.batches import batches
from rag.storage.checking.findings import Findings, Holdings, by_hand, mendable, some_of
from rag.storage.tables import DocumentRow, ItemRow, VersionRow

ASIDE = "damaged"
"""Folder of the library for bytes that are not what they are named for: a person may still make
something of them."""

INGEST_AGAIN = "ingest the file again; until then its text answers, and it cannot be shown or read"


def check_originals(held: Holdings) -> Findings:
    with held.database.read() as session:
        needed = _needed(session)
    missing: list[Version] = []
    damaged: list[Version] = []
    for version in needed:
        try:
            held.blobs.get(version)
        except NotFound:
            missing.append(version)
        except RagError:
            damaged.append(version)
    with held.database.read() as session:
        needed = _needed(session)  # what was deleted meanwhile is missing for a good reason
    lost = sorted({key for version in missing for key in needed.get(version, ())})
    if lost:
        yield by_hand("originals", f"the bytes are gone of {some_of(lost)}", INGEST_AGAIN)
    altered = sorted({key for version in damaged for key in needed.get(version, ())})
    if altered:
        yield mendable(
            "originals",
            f"the bytes are damaged of {some_of(altered)}",
            f"they are set aside in the library's folder {ASIDE!r}; {INGEST_AGAIN}",
            lambda: _set_aside(held, damaged),
        )
    nobodys = _nobodys(held)
    if nobodys:
        what = f"{len(nobodys):,} original files belong to no document"
        yield mendable("originals", what, "they are removed", lambda: remove_nobodys(held))


def _needed(session: Session) -> dict[Version, list[str]]:
    """Keys by the bytes they need, of documents and of items that are still to be done."""
    needed: dict[Version, list[str]] = {}
    of_documents = select(VersionRow.sha256, DocumentRow.key).join(
        DocumentRow, DocumentRow.id == VersionRow.document_id
    )
    waiting = select(ItemRow.sha256, ItemRow.key).where(
        ItemRow.finished_at.is_(None), ItemRow.sha256 != ""
    )
    for query in (of_documents, waiting):
        for sha256, key in session.execute(query):
            needed.setdefault(Version(sha256), []).append(key)
    return needed


def _nobodys(held: Holdings) -> list[Version]:
    """Asked twice: what is being handed in has its bytes before its item."""
    found = list(held.blobs.all())
    with held.database.read() as session:
        found = _unused(session, found)
    with held.database.read() as session:
        return _unused(session, found)


def _unused(session: Session, versions: list[Version]) -> list[Version]:
    """Those of no document, and of no item that may still be tried or was never published: what
    was published and has no document any more was deleted."""
    used: set[str] = set()
    for some in batches(versions):
        used |= set(session.scalars(select(VersionRow.sha256).where(VersionRow.sha256.in_(some))))
        other = ItemRow.state.not_in(("indexed", "unchanged"))
        items = select(ItemRow.sha256).where(
            ItemRow.sha256.in_(some), or_(ItemRow.finished_at.is_(None), other)
        )
        used |= set(session.scalars(items))
    return [version for version in versions if version not in used]


def _set_aside(held: Holdings, versions: list[Version]) -> None:
    with held.database.alone() as session:
        for version in versions:
            held.blobs.set_aside(session, version, held.data_dir / ASIDE)


def remove_nobodys(held: Holdings) -> None:
    """Nobody can hand the same in meanwhile: who does writes it again in its own transaction."""
    found = list(held.blobs.all())
    with held.database.alone() as session:
        for version in _unused(session, found):
            held.blobs.remove(session, version)
