"""Patterns of paths, written as in a `.gitignore`."""

import re
from collections.abc import Iterable

from rag.errors import InvalidRequest

_PARTS = re.compile(
    r"(?P<any_folders>(?:^|(?<=/))\*\*/)"  # a/**/b: any folders between, or none
    r"|(?P<all_below>(?<=/)\*\*$)"
    r"|(?P<some>\*+)"
    r"|(?P<one>\?)"
    r"|\[(?P<but>[!^]?)(?P<of>\]?[^\]]*)\]"
    r"|\\(?P<escaped>.)"
    r"|(?P<itself>.)",
    re.DOTALL,
)


class Patterns:
    """Where several match, the last one decides; one that begins with `!` takes back.

    Of a folder everything below it matches. A pattern with a slash before its end begins at the
    top, any other matches at every depth; one with a slash at its end is of folders alone.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """
        Raises:
            InvalidRequest: one of them is none.
        """
        self._patterns = [_compiled(pattern) for pattern in patterns]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def match(self, path: str) -> bool:
        """
        Args:
            path: relative, with `/`; a folder's ends with one.
        """
        for pattern, takes in reversed(self._patterns):
            if pattern.fullmatch(path):
                return takes
        return False


def _compiled(pattern: str) -> tuple[re.Pattern[str], bool]:
    takes = not pattern.startswith("!")
    body = pattern if takes else pattern[1:]
    path = body.strip("/")
    if not path:
        raise InvalidRequest(f"a pattern needs a name in it: {pattern!r}")
    begin = "" if "/" in body.rstrip("/") else "(?:.*/)?"
    end = "/.*" if body.endswith("/") else "(?:/.*)?"
    try:
        return re.compile(begin + _PARTS.sub(_translated, path) + end, re.DOTALL), takes
    except re.error as error:
        raise InvalidRequest(f"this is no pattern: {pattern!r} ({error})") from error


def _translated(part: re.Match[str]) -> str:
    match part.lastgroup:
        case "any_folders":
            return "(?:.*/)?"
        case "all_below":
            return ".*"
        case "some":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "of":
            listed = part["of"].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
            return f"(?!/)[{'^' if part['but'] else ''}{listed}]"
        case _:
            return re.escape(part["escaped"] or part["itself"])
