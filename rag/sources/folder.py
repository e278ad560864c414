"""Files named on a command line -> what to ingest, each under its key.

A key is the path relative to the folder given, with `/`; a file given alone keeps the path as it
was typed when that is relative, and its bare name when it is absolute.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from rag.errors import InvalidRequest

SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "venv", "$RECYCLE.BIN", "System Volume Information"}
)
"""Never anybody's documents. Hidden files and folders (a leading dot) are skipped as well."""

SKIPPED_PREFIXES = (".", "~$")
"""Hidden, and the lock files of office programs."""


class Found(Struct, frozen=True):
    """A file to ingest."""

    key: str
    path: Path


def find(arguments: Iterable[str]) -> Iterator[Found]:
    """Every file under the folders, matching the globs, or named, in a stable order.

    Links to folders are not followed, so a loop of links cannot be walked for ever.

    Raises:
        InvalidRequest: an argument names nothing, or two files would have the same key.
    """
    paths: dict[str, Path] = {}
    for argument in arguments:
        for found in _expand(argument):
            first = paths.setdefault(found.key, found.path)
            if first == found.path:
                continue
            if first.resolve() != found.path.resolve():
                raise InvalidRequest(
                    f"two files would have the key {found.key!r}: {first} and {found.path};"
                    " give their common parent folder, or ingest them into two collections"
                )
    for key, path in paths.items():
        yield Found(key, path)


def _expand(argument: str) -> Iterator[Found]:
    path = Path(argument).expanduser()
    if path.is_dir():
        for file in _walk(path):
            yield Found(file.relative_to(path).as_posix(), file)
    elif path.exists():
        yield Found(_key_of_file(path), path)
    elif glob.has_magic(argument):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  (absolute patterns too)
        if not matches:
            raise InvalidRequest(f"no file matches {argument}")
        for match in matches:
            if Path(match).is_file():
                yield Found(_key_of_file(Path(match)), Path(match))
    else:
        raise InvalidRequest(f"no such file or folder: {argument}")


def _key_of_file(path: Path) -> str:
    if path.is_absolute():
        return path.name
    parts = Path(os.path.normpath(path)).parts
    return "/".join(part for part in parts if part != "..")


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            f for f in folders if not f.startswith(SKIPPED_PREFIXES) and f not in SKIPPED_FOLDERS
        )
        for name in sorted(files):
            path = Path(parent, name)
            if not name.startswith(SKIPPED_PREFIXES) and path.is_file():
                yield path
