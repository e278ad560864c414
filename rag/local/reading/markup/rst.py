"""reStructuredText -> markdown, line for line: headings, code, tables, lists, and plain words.

Directives are read, never carried out: nothing is included, and no code runs.
"""

import re

from rag.local.reading.markup.grids import grid_table, simple_table
from rag.local.reading.markup.lines import LONGEST_LINE, Lines
from rag.local.reading.plaintext import decode
from rag.local.reading.readout import Readout, marked
from rag.local.reading.task import Task

ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*$")
DIRECTIVE = re.compile(r"(\s*)\.\. (?:\|[^|]+\| )?([\w:.+-]+?)::(?:\s+(.*))?$")
COMMENT = re.compile(r"\s*\.\.(?:\s|$)")
TARGET = re.compile(r"\s*\.\. (?:_[^:]|__|\[)")
OPTION = re.compile(r"\s*:[\w-]+:(?:\s|$)")
ALT = re.compile(r"\s*:alt:\s*(.*)")
CODE = frozenset(("code", "code-block", "sourcecode", "highlight", "literalinclude", "math"))
SHOWN = frozenset(("note", "warning", "tip", "important", "caution", "attention", "hint", "danger"))
"""Directives whose name is a word of the text."""
PLAIN = frozenset(
    ("topic", "sidebar", "admonition", "rubric", "epigraph", "container", "seealso", "versionadded")
)
UNSEEN = frozenset(
    ("contents", "toctree", "raw", "include", "meta", "index", "only", "default-role")
)
TABLES = re.compile(r"\s*\+(?:[-=]+\+)+\s*$")
SIMPLE = re.compile(r"\s*=+(?: +=+)+\s*$")
SHALLOW = 3  # spaces; four are code in markdown
ROLE = re.compile(r":[\w:.+-]+:`([^`<]*?)\s*(?:<[^`>]*>)?`")
LINK = re.compile(r"`([^`<]+?)\s*<[^`>]+>`__?")
REFERENCE = re.compile(r"`([^`]+)`__?")
LITERAL = re.compile(r"``([^`]+)``")
STRONG = re.compile(r"(?<![\w*])\*{1,2}([^\s*](?:[^*]*[^\s*])?)\*{1,2}(?![\w*])")


def read_rst(content: bytes, task: Task) -> Readout:
    return marked(rst_markdown(decode(content)))


def rst_markdown(text: str) -> str:
    lines = Lines(text)
    styles: list[str] = []
    at = 0
    while at < len(lines):
        at = _step(lines, at, styles)
    return lines.text


def _step(lines: Lines, at: int, styles: list[str]) -> int:
    """Past what begins at a line."""
    if lines.is_blank(at):
        return at + 1
    if (after := _title(lines, at, styles)) > at:
        return after
    if (directive := DIRECTIVE.match(lines[at])) is not None:
        return _directive(lines, at, directive)
    if COMMENT.match(lines[at]):
        return _comment(lines, at)
    if TABLES.match(lines[at]):
        return _table(lines, at, "+|")
    if SIMPLE.match(lines[at]):
        return _table(lines, at, "")
    return _paragraph(lines, at)


def _title(lines: Lines, at: int, styles: list[str]) -> int:
    """An underlined line, or one between two lines; depth is told by what was seen first."""
    over = ADORNMENT.match(lines[at])
    if over and not lines.is_blank(at + 1) and lines[at + 2].rstrip() == lines[at].rstrip():
        lines.replace(at, at + 3, [_heading(lines[at + 1], over[1] * 2, styles)])
        return at + 3
    under = ADORNMENT.match(lines[at + 1])
    if over or not under or lines[at][:1].isspace():
        return at
    if len(lines[at + 1].rstrip()) < min(len(lines[at].rstrip()), 4):
        return at
    lines.replace(at, at + 2, [_heading(lines[at], under[1], styles)])
    return at + 2


def _heading(line: str, style: str, styles: list[str]) -> str:
    if style not in styles:
        styles.append(style)
    return "#" * min(styles.index(style) + 1, 6) + " " + _inline(line.strip())


def _directive(lines: Lines, at: int, directive: re.Match[str]) -> int:
    indentation, name, argument = len(directive[1]), directive[2], directive[3] or ""
    after = lines.after_indented(at + 1, indentation)
    body = at + 1
    alt = ""
    while body < after and OPTION.match(lines[body]):
        alt = found[1] if (found := ALT.match(lines[body])) else alt
        lines[body] = ""
        body += 1
    if name in CODE:
        lines[at] = ""
        _code(lines, max(at, body - 1), after, "" if name == "math" else argument.strip())
        return after
    if name in UNSEEN:
        lines.replace(at, after, [])
        return after
    if name in ("image", "figure"):
        lines[at] = alt
    else:
        shown = f"{name.capitalize()}: " if name in SHOWN else ""
        lines[at] = (shown + _inline(argument)).strip()
    return _dedented(lines, body, after)


def _dedented(lines: Lines, first: int, after: int) -> int:
    """What is in a directive is text like any other; it is read again from its first line."""
    depths = [lines.indentation(at) for at in range(first, after) if not lines.is_blank(at)]
    for at in range(first, after):
        lines[at] = lines[at][min(depths, default=0) :]
    return first


def _code(lines: Lines, opening: int, after: int, language: str) -> None:
    """Between fences: the first in place of the line before the code, the last on the blank one
    behind it."""
    first = lines.skip_blanks(opening + 1)
    if first >= after:
        return
    _dedented(lines, first, after)
    lines[first - 1] = f"```{language}"
    if after < len(lines) and lines.is_blank(after):
        lines[after] = "```"
    else:
        lines[after - 1] += "\n```"


def _comment(lines: Lines, at: int) -> int:
    """Footnotes and citations are text; targets and comments are seen by nobody."""
    note = re.match(r"\s*\.\. \[[^\]]+\]\s*(.*)", lines[at])
    if note is not None:
        lines[at] = _inline(note[1])
        return _dedented(lines, at + 1, lines.after_indented(at + 1, 0))
    after = lines.after_indented(at + 1, lines.indentation(at))
    if TARGET.match(lines[at]):
        after = at + 1
    lines.replace(at, after, [])
    return after


def _table(lines: Lines, at: int, starts: str) -> int:
    after = at + 1
    if starts:
        while lines[after].strip()[:1] in ("+", "|") and not lines.is_blank(after):
            after += 1
        rows = grid_table([lines[i].strip() for i in range(at, after)])
    else:
        borders = 1
        while after < len(lines) and not (lines.is_blank(after) and borders > 1):
            borders += bool(SIMPLE.match(lines[after]))
            after += 1
            if borders == 3 or (borders == 2 and lines.is_blank(after)):
                break
        rows = simple_table([lines[i] for i in range(at, after)])
    lines.replace(at, after, [_inline(row) for row in rows])
    return after


def _paragraph(lines: Lines, at: int) -> int:
    """To the next blank line; where it ends in `::`, what stands deeper below it is code."""
    indentation = lines.indentation(at)
    while not lines.is_blank(at):
        lines[at] = _inline(_outdented(lines[at]))
        at += 1
    last = lines[at - 1].rstrip()
    if last.endswith("::"):
        said = last[:-2]
        lines[at - 1] = said.rstrip() + ":" * (said == said.rstrip() != "")
        after = lines.after_indented(at, indentation)
        if after > at:
            _code(lines, at - 1 if not lines[at - 1] else at, after, "")
            return after + 1
    return at


def _outdented(line: str) -> str:
    """Deeper text is a quotation or a definition here; in markdown it would be code."""
    text = line.lstrip()
    return " " * min(len(line) - len(text), SHALLOW) + text


def _inline(line: str) -> str:
    """Plain words, as a person would quote them."""
    if len(line) > LONGEST_LINE:
        return line
    if "`" in line:
        line = LITERAL.sub(r"\1", ROLE.sub(r"\1", line))
        line = REFERENCE.sub(r"\1", LINK.sub(r"\1", line))
    return STRONG.sub(r"\1", line) if "*" in line else line
