"""What the styles of a Word document say: which are headings, which are hidden, which number."""

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec import Struct
from msgspec.structs import replace

from rag.local.reading.office.ooxml import is_on

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
VALUE = f"{W}val"
LONGEST_LINE = 20  # styles that stand on one another; a longer line is a loop


class Numbering(Struct, frozen=True):
    """A place in a numbered or bulleted list."""

    list: str
    level: int = 0


class Style(Struct, frozen=True):
    name: str = ""
    heading: int = 0
    """1 to 9, or 0."""
    numbering: Numbering | None = None
    is_hidden: bool = False


PLAIN = Style()


def read_styles(root: etree._Element) -> dict[str, Style]:
    """By id, with what they inherit; the default style of paragraphs is the one named ''."""
    elements = {each.get(f"{W}styleId", ""): each for each in root.iterchildren(f"{W}style")}
    styles = {id: _style(id, elements) for id in elements}
    for id, element in elements.items():
        is_default = element.get(f"{W}default") in ("1", "true")
        if is_default and element.get(f"{W}type") == "paragraph":
            styles[""] = styles[id]
    return styles


def _style(id: str, elements: dict[str, etree._Element]) -> Style:
    line: list[etree._Element] = []
    while id in elements and len(line) < LONGEST_LINE:
        line.append(elements[id])
        based = elements[id].find(f"{W}basedOn")
        id = "" if based is None else based.get(VALUE, "")
    style = PLAIN
    for element in reversed(line):
        style = _refined(style, element)
    return style


def _refined(style: Style, element: etree._Element) -> Style:
    named = element.find(f"{W}name")
    name = "" if named is None else named.get(VALUE, "").casefold()
    properties, run = element.find(f"{W}pPr"), element.find(f"{W}rPr")
    heading = heading_of(properties, style.heading)
    if name.startswith("heading ") and name[8:].isdecimal():
        heading = int(name[8:])
    elif name == "title":
        heading = 1
    hidden = None if run is None else run.find(f"{W}vanish")
    return Style(
        name,
        heading,
        numbering_of(properties, style.numbering),
        style.is_hidden if hidden is None else is_on(hidden, VALUE),
    )


def heading_of(properties: etree._Element | None, inherited: int) -> int:
    found = None if properties is None else properties.find(f"{W}outlineLvl")
    if found is None:
        return inherited
    level = found.get(VALUE, "9")
    return int(level) + 1 if level.isdecimal() and int(level) < 9 else 0


def numbering_of(
    properties: etree._Element | None, inherited: Numbering | None
) -> Numbering | None:
    found = None if properties is None else properties.find(f"{W}numPr")
    if found is None:
        return inherited
    id, level = found.find(f"{W}numId"), found.find(f"{W}ilvl")
    start = inherited or Numbering("")
    if id is not None:
        start = replace(start, list=id.get(VALUE, ""))
    if level is not None and level.get(VALUE, "").isdecimal():
        start = replace(start, level=min(int(level.get(VALUE)), 8))
    return start if start.list not in ("", "0") else None
