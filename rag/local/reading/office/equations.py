"""Equations of Office files (OMML) -> LaTeX, as far as a reader needs it."""

from collections.abc import Callable

from lxml import etree  # type: ignore[import-untyped]  # has no hints

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
OPERATORS = {"∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∮": r"\oint", "⋃": r"\bigcup"}


def latex(element: etree._Element) -> str:
    """Of an equation, or of anything within one."""
    return " ".join("".join(map(_latex, element)).split())


def _latex(element: etree._Element) -> str:
    tag = element.tag
    if not isinstance(tag, str) or not tag.startswith(M):
        return ""
    name = tag[len(M) :]
    if name == "r":
        return "".join(text.text or "" for text in element.iterchildren(f"{M}t"))
    if name.endswith("Pr"):
        return ""
    write = _SHAPES.get(name)
    return write(element) if write else latex(element)


def _part(element: etree._Element, name: str) -> str:
    found = element.find(f"{M}{name}")
    return "" if found is None else latex(found)


def _property(element: etree._Element, kind: str, name: str, otherwise: str) -> str:
    found = element.find(f"{M}{kind}Pr/{M}{name}")
    value: str = otherwise if found is None else found.get(f"{M}val", otherwise)
    return value


def _radical(element: etree._Element) -> str:
    degree = _part(element, "deg")
    return rf"\sqrt{f'[{degree}]' if degree else ''}{{{_part(element, 'e')}}}"


def _large_operator(element: etree._Element) -> str:
    sign = _property(element, "nary", "chr", "∫")
    below, above = _part(element, "sub"), _part(element, "sup")
    bounds = (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")
    return f"{OPERATORS.get(sign, sign)}{bounds} {_part(element, 'e')}"


def _delimited(element: etree._Element) -> str:
    opening = _property(element, "d", "begChr", "(")
    closing = _property(element, "d", "endChr", ")")
    separator = _property(element, "d", "sepChr", "|")
    return opening + separator.join(map(latex, element.iterchildren(f"{M}e"))) + closing


def _matrix(element: etree._Element) -> str:
    rows = (" & ".join(map(latex, row.iterchildren(f"{M}e"))) for row in element.iter(f"{M}mr"))
    return r"\begin{matrix} " + r" \\ ".join(rows) + r" \end{matrix}"


def _lines(element: etree._Element) -> str:
    return r" \\ ".join(map(latex, element.iterchildren(f"{M}e")))


_SHAPES: dict[str, Callable[[etree._Element], str]] = {
    "f": lambda e: rf"\frac{{{_part(e, 'num')}}}{{{_part(e, 'den')}}}",
    "sSup": lambda e: f"{_part(e, 'e')}^{{{_part(e, 'sup')}}}",
    "sSub": lambda e: f"{_part(e, 'e')}_{{{_part(e, 'sub')}}}",
    "sSubSup": lambda e: f"{_part(e, 'e')}_{{{_part(e, 'sub')}}}^{{{_part(e, 'sup')}}}",
    "sPre": lambda e: f"{{}}_{{{_part(e, 'sub')}}}^{{{_part(e, 'sup')}}}{_part(e, 'e')}",
    "limLow": lambda e: f"{_part(e, 'e')}_{{{_part(e, 'lim')}}}",
    "limUpp": lambda e: f"{_part(e, 'e')}^{{{_part(e, 'lim')}}}",
    "func": lambda e: f"{_part(e, 'fName')} {_part(e, 'e')}",
    "rad": _radical,
    "nary": _large_operator,
    "d": _delimited,
    "m": _matrix,
    "eqArr": _lines,
}
