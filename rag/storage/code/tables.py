"""The rows of code: contents known by what they are, and states of repositories made of them.

A content is kept once, however many paths, branches, repositories and clones have it, with the
chunks it is cut into. A file is a path that has a content; a snapshot is a set of files. So a
rename, a revert or a second clone brings nothing new but rows that point.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rag.storage.tables import NEVER_REUSED, Counter, Row


class RepositoryRow(Row):
    __tablename__ = "code_repository"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    location: Mapped[str] = mapped_column(Text)
    """The folder or address it is read from."""
    changes: Mapped[int] = mapped_column(default=0)
    """Counts what was published: a word index says up to which one it is complete."""
    created_at: Mapped[str] = mapped_column(String(32))
    embeds: Mapped[bool] = mapped_column(default=False)
    """Whether its vectors are wanted, and not its words alone."""
    selection: Mapped[str | None] = mapped_column(Text)
    """JSON of what is wanted in or out."""
    embedded_until: Mapped[str | None] = mapped_column(String(32))
    """A process computes them, and has the repository to itself until then."""


class ContentRow(Row):
    """One content in one language, cut by one chunker."""

    __tablename__ = "code_content"
    __table_args__ = (UniqueConstraint("oid", "language", "chunker"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    oid: Mapped[str] = mapped_column(String(64))
    """Git's id of the bytes."""
    language: Mapped[str] = mapped_column(String(32))
    chunker: Mapped[str] = mapped_column(String(32))
    unwanted: Mapped[str | None] = mapped_column(String(100))
    """Why it is not searched."""
    generated: Mapped[bool]
    chunks: Mapped[int]
    lines: Mapped[int]
    # the long columns come last, so that reading the others does not walk over them
    outline: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """Compressed MessagePack of chunks and definitions."""
    text: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """Compressed UTF-8."""


class CodeFileRow(Row):
    """A path of a repository with one of the contents that it has had."""

    __tablename__ = "code_file"
    __table_args__ = (
        UniqueConstraint("repository_id", "path", "content_id"),
        Index(None, "content_id"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    """What the word index knows it by; never used again for another file."""
    repository_id: Mapped[str] = mapped_column(ForeignKey("code_repository.id"))
    path: Mapped[str] = mapped_column(Text)
    content_id: Mapped[int] = mapped_column(ForeignKey("code_content.id"))
    unused_since: Mapped[str | None] = mapped_column(String(32))
    """No state has it since then; None while one does."""


class SnapshotRow(Row):
    """A ref of a repository, as it was when it was indexed last."""

    __tablename__ = "code_snapshot"

    repository_id: Mapped[str] = mapped_column(ForeignKey("code_repository.id"), primary_key=True)
    ref: Mapped[str] = mapped_column(String(300), primary_key=True)
    """Empty for the files as they lie in its folder."""
    commit: Mapped[str | None] = mapped_column(String(64))
    dirty: Mapped[bool]
    indexed_at: Mapped[str] = mapped_column(String(32))
    seen: Mapped[int]
    indexed: Mapped[int]
    chunks: Mapped[int] = mapped_column(BigInteger)
    files: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """Ids of its files, sorted, little-endian int64, compressed."""
    left_out: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """Compressed MessagePack: each path that is not searched, and why."""


class CodeEmbeddingRow(Row):
    """A vector by all that decides it. Beside the one of documents, whose vectors go when nothing
    there uses them."""

    __tablename__ = "code_embedding"

    text_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    dimension: Mapped[int]
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian float32."""


class CardsRow(Row):
    """What the chunks of a content are embedded as. It is there once all of them are."""

    __tablename__ = "code_cards"

    content_id: Mapped[int] = mapped_column(ForeignKey("code_content.id"), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    digests: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of each chunk's embedded text, one after another."""


class CodeWeightRow(Row):
    """How much meaning counts in a repository, found out by its self-check."""

    __tablename__ = "code_weight"

    repository_id: Mapped[str] = mapped_column(ForeignKey("code_repository.id"), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    weight: Mapped[float]
