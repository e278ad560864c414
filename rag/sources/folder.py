"""Files named on a command line -> what to ingest, each under its key.

A key is the path relative to the folder given, with `/`; a file given alone keeps the path as it
was typed when that is relative, and its bare name when it is absolute.
"""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from rag.errors import InvalidRequest
from rag.sources.found import Address, Findings, Found, LeftOut, Sought, joined
from rag.sources.walking import Choice, is_utf8, shown, trouble_with, walk
from rag.sources.web.addresses import parse_address

ALL = Choice()
"""But for what is hidden, and no document."""

WEB = ("http://", "https://")


def find(arguments: Iterable[str]) -> tuple[Found, ...]:
    """The files alone that `look` finds."""
    return look(arguments).files


def look(arguments: Iterable[str], choice: Choice = ALL) -> Findings:
    """Every file under the folders, matching the globs, or named, in a stable order; addresses of
    web pages too.

    Raises:
        InvalidRequest: an argument names nothing, or two files would have the same key.
    """
    return distinct(joined(_look_at(argument, choice) for argument in arguments))


def distinct(findings: Findings) -> Findings:
    """Each once, however often it was named.

    Raises:
        InvalidRequest: two would have the same key.
    """
    kept: dict[str, Sought] = {}
    for sought in findings.sought:
        first = kept.setdefault(sought.key, sought)
        if first is not sought and not _are_one(first, sought):
            raise InvalidRequest(
                f"two files would have the key {sought.key!r}: {_place(first)} and"
                f" {_place(sought)}; give their common parent folder, or ingest them into two"
                " collections"
            )
    return replace(
        findings,
        files=tuple(each for each in kept.values() if isinstance(each, Found)),
        addresses=tuple(each for each in kept.values() if isinstance(each, Address)),
        troubles=tuple(dict.fromkeys(findings.troubles)),
        left_out=tuple(dict.fromkeys(findings.left_out)),
        roots=tuple(dict.fromkeys(findings.roots)),
    )


def _are_one(one: Sought, other: Sought) -> bool:
    if isinstance(one, Found) and isinstance(other, Found):
        return one.path == other.path or one.path.resolve() == other.path.resolve()
    return _place(one) == _place(other)


def _place(sought: Sought) -> str:
    return sought.url if isinstance(sought, Address) else str(sought.path)


def _look_at(argument: str, choice: Choice) -> Findings:
    if argument.startswith(WEB):
        return Findings(addresses=(Address(str(parse_address(argument)), argument),))
    path = Path(argument).expanduser()
    if path.is_dir():
        return walk(path, choice)
    if path.exists() or path.is_symlink():
        return _alone(path, choice)
    if glob.has_magic(argument):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  (absolute patterns too)
        if not matches:
            raise InvalidRequest(f"no file matches {argument}")
        files = (Path(match) for match in matches if not Path(match).is_dir())
        return joined(_alone(file, choice) for file in files)
    raise InvalidRequest(f"no such file or folder: {argument}")


def _alone(path: Path, choice: Choice) -> Findings:
    """A file that was named is meant, though it be hidden."""
    key = key_of_file(path)
    if not is_utf8(key):
        raise InvalidRequest(f"the name of {shown(str(path))} is not UTF-8; rename it")
    rule = replace(choice, hidden=True).rule_against(key)
    if rule:
        return Findings(left_out=(LeftOut(key, rule),))
    if trouble := trouble_with(key, path):
        return Findings(troubles=(trouble,))
    return Findings(files=(Found(key, path),))


def key_of_file(path: Path) -> str:
    if path.is_absolute():
        return path.name
    parts = Path(os.path.normpath(path)).parts
    return "/".join(part for part in parts if part != "..")
