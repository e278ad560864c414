"""AsciiDoc -> markdown, line for line: headings, code, tables, lists, and plain words.

Nothing is included, and no macro runs.
"""

import re
from collections.abc import Callable

from rag.local.reading.markup.lines import LONGEST_LINE, Lines
from rag.local.reading.plaintext import decode
from rag.local.reading.readout import Readout, marked
from rag.local.reading.tables import cell, table
from rag.local.reading.task import Task

HEADING = re.compile(r"(={1,6})\s+(\S.*)$")
LANGUAGE = re.compile(r"\[(?:source|,)[^,\]]*,?\s*([\w+#-]*)")
BLOCK_TITLE = re.compile(r"\.([^\s.].*)$")
FENCE = re.compile(r"(-{4,}|\.{4,}|\+{4,}|={4,}|\*{4,}|_{4,}|/{4,}|--)\s*$")
ITEM = re.compile(r"(\*{1,5}|\.{1,5}|-)\s+(\S.*)$")
TABLE = re.compile(r"[|,:!]===\s*$")
UNSEEN = (
    re.compile(r"//(?!/)|(?:include|ifdef|ifndef|endif|toc)::"),
    re.compile(r":!?[\w-]+!?:(?:\s|$)"),  # attributes of the document
    re.compile(r"\[[^\]]*\]\s*$"),  # and of the block below
)
IMAGE = re.compile(r"image::?[^\s\[]*\[([^\],]*)[^\]]*\]")
LINK = re.compile(r"(?:(?:link|xref|mailto):|https?://)[^\s\[<>,]*\[([^\]]+)\]")
CROSS = re.compile(r"<<[^,>]+,\s*([^>]+)>>")
ANCHOR = re.compile(r"\[\[[^\]]*\]\]")
FORMAT = re.compile(r"(?<![\w*_`])([*_`]{1,2})(?=\S)(.+?)(?<=\S)\1(?![\w*_`])")
CELL = re.compile(r"(?:(?:\d+(?:\.\d+)?|\.\d+)[+*])?[<^>.]{0,4}[aehlmsdv]?\|")


def read_asciidoc(content: bytes, task: Task) -> Readout:
    return marked(asciidoc_markdown(decode(content)))


def asciidoc_markdown(text: str) -> str:
    lines = Lines(text)
    at = 0
    language = ""
    while at < len(lines):
        found = LANGUAGE.match(lines[at])
        language, at = (found[1] if found else language), _step(lines, at, language)
        if not lines.is_blank(at - 1):
            language = ""
    return lines.text


def _step(lines: Lines, at: int, language: str) -> int:
    """Past what begins at a line."""
    line = lines[at]
    if (fence := FENCE.match(line)) is not None:
        return _delimited(lines, at, fence[1], language)
    if TABLE.match(line):
        return _table(lines, at)
    if any(unseen.match(line) for unseen in UNSEEN):
        lines[at] = ""
        return at + 1
    for pattern, change in _LINES:
        if (match := pattern.match(line)) is not None:
            lines[at] = change(match)
            return at + 1
    lines[at] = _inline(line)
    return at + 1


def _delimited(lines: Lines, at: int, fence: str, language: str) -> int:
    """Code between fences; a comment goes; of examples and the like only the fences do."""
    end = at + 1
    while end < len(lines) and lines[end].rstrip() != fence:
        end += 1
    if fence[0] in "-.+" and fence != "--":
        lines[at] = f"```{language}"
        if end < len(lines):
            lines[end] = "```"
        return end + 1
    if fence[0] == "/":
        lines.replace(at, min(end + 1, len(lines)), [])
        return end + 1
    lines[at] = ""
    if end < len(lines):
        lines[end] = ""
    return at + 1


def _table(lines: Lines, at: int) -> int:
    border = lines[at].strip()
    end = at + 1
    while end < len(lines) and lines[end].strip() != border:
        end += 1
    rows: list[list[str]] = []
    width = 0
    for line in (lines[i] for i in range(at + 1, end)):
        parts = CELL.split(line)
        if parts[1:]:
            rows.append([_inline(part.strip()) for part in parts[1:]])
            width = width or len(rows[0])
        elif rows and line.strip():
            rows[-1][-1] += " " + _inline(line.strip())
    after = min(end + 1, len(lines))
    lines.replace(at, after, table(_filled(rows)).split("\n"))
    return after


def _filled(rows: list[list[str]]) -> list[list[str]]:
    """Cells that stand one to a line belong to rows as wide as the first."""
    width = max(map(len, rows), default=0) if not rows else len(rows[0])
    cells = [cell(text) for row in rows for text in row]
    if width < 2 or len(cells) % width:
        return [[cell(text) for text in row] for row in rows]
    return [cells[at : at + width] for at in range(0, len(cells), width)]


def _item(match: re.Match[str]) -> str:
    mark = "1." if match[1][0] == "." else "-"
    return "  " * (len(match[1]) - 1) + f"{mark} {_inline(match[2])}"


_LINES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (HEADING, lambda match: "#" * len(match[1]) + " " + _inline(match[2])),
    (ITEM, _item),
    (BLOCK_TITLE, lambda match: _inline(match[1])),
)


def _inline(line: str) -> str:
    """Plain words, as a person would quote them."""
    if len(line) > LONGEST_LINE:
        return line
    if "[" in line:
        line = LINK.sub(r"\1", IMAGE.sub(r"\1", ANCHOR.sub("", line)))
    if "<<" in line:
        line = CROSS.sub(r"\1", line)
    return FORMAT.sub(r"\2", line)
