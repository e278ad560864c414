"""What a look at folders, globs and lists comes to."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from rag.domain import FILE, Attribute

ROOT = f"{FILE}root"
FOLDER = f"{FILE}folder"
EXTENSION = f"{FILE}extension"
MODIFIED = f"{FILE}modified"
"""Attributes that a file brings along: the folder or manifest it was named by, its own folder
below that, its ending without the dot and in lower case, and when it was changed last (UTC)."""


class Found(Struct, frozen=True):
    """A file to ingest."""

    key: str
    path: Path
    root: str | None = None
    """The folder, or the manifest, that it was found by; None where it was named itself."""
    title: str | None = None
    attributes: Mapping[str, Attribute] = {}
    """As somebody wrote them down."""


class Address(Struct, frozen=True):
    """A web page to ingest; the service fetches it."""

    key: str
    url: str
    root: str | None = None
    title: str | None = None
    attributes: Mapping[str, Attribute] = {}


Sought: TypeAlias = Found | Address


class Trouble(Struct, frozen=True):
    """Something that should be ingested, and cannot be."""

    key: str
    state: Literal["refused", "failed"]
    """As of an item: of what is `refused`, trying again changes nothing."""
    code: str
    reason: str


class LeftOut(Struct, frozen=True):
    """Something that is there, and by a rule not meant."""

    path: str
    rule: str


class Root(Struct, frozen=True):
    """Where files were looked for, and might be gone from."""

    name: str
    """As in `Found.root`."""
    folder: Path | None
    """None of a manifest."""
    whole: bool
    """Whether all of it could be seen."""


class Findings(Struct, frozen=True):
    files: tuple[Found, ...] = ()
    addresses: tuple[Address, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    roots: tuple[Root, ...] = ()

    @property
    def sought(self) -> tuple[Sought, ...]:
        return self.files + self.addresses


def joined(parts: Iterable[Findings]) -> Findings:
    """All of several looks, in order."""
    looks = tuple(parts)
    return Findings(
        tuple(each for look in looks for each in look.files),
        tuple(each for look in looks for each in look.addresses),
        tuple(each for look in looks for each in look.troubles),
        tuple(each for look in looks for each in look.left_out),
        tuple(each for look in looks for each in look.roots),
    )
