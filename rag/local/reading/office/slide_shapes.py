"""What stands on a slide, from top to bottom, without what is hidden or off its edge."""

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec import Struct

from rag.local.reading.office.drawn import A

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
KINDS = frozenset(f"{P}{name}" for name in ("sp", "pic", "graphicFrame", "cxnSp"))
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
USUAL_SIZE = 12_192_000, 6_858_000  # 13.33 by 7.5 inches, in units of 1/914400 inch
ROLELESS = "none"
ROW = 300_000
"""Units of height within which shapes stand side by side: a third of an inch."""


class PlacedShape(Struct, frozen=True):
    element: etree._Element
    role: str
    """Type of its placeholder; `none` of a shape that is none."""
    description: str = ""
    top: int = -1
    left: int = -1
    """-1 where its layout places it: such shapes come first, as they stand in the file."""


def slide_size(presentation: etree._Element) -> tuple[int, int]:
    size = presentation.find(f"{P}sldSz")
    if size is None:
        return USUAL_SIZE
    return _integer(size, "cx", USUAL_SIZE[0]), _integer(size, "cy", USUAL_SIZE[1])


def placed_shapes(slide: etree._Element, size: tuple[int, int]) -> list[PlacedShape]:
    tree = slide.find(f"{P}cSld/{P}spTree")
    found = [] if tree is None else list(_within(tree, size))
    return sorted(found, key=lambda shape: (shape.top // ROW, shape.left))


def _within(parent: etree._Element, size: tuple[int, int] | None) -> Iterator[PlacedShape]:
    """Shapes of groups too; a group has coordinates of its own, so its place is asked, not
    theirs."""
    for element in parent:
        if element.tag == f"{MC}AlternateContent":
            chosen = next(element.iterchildren(f"{MC}Choice", f"{MC}Fallback"), None)
            if chosen is not None:
                yield from _within(chosen, size)
        elif element.tag == f"{P}grpSp":
            shape = _placed(element, size)
            if shape is not None:
                for inner in sorted(_within(element, None), key=lambda each: (each.top, each.left)):
                    yield PlacedShape(
                        inner.element, inner.role, inner.description, shape.top, shape.left
                    )
        elif element.tag in KINDS and (shape := _placed(element, size)) is not None:
            yield shape


def _placed(element: etree._Element, size: tuple[int, int] | None) -> PlacedShape | None:
    """None where nobody sees it."""
    properties = next(element.iter(f"{P}cNvPr"), None)
    if properties is None or properties.get("hidden") in ("1", "true"):
        return None
    placeholder = next(element.iter(f"{P}ph"), None) if element.tag != f"{P}grpSp" else None
    role = ROLELESS if placeholder is None else placeholder.get("type", "")
    description = properties.get("descr", "")
    transform = next((t for t in _transforms(element) if t is not None), None)
    offset = None if transform is None else transform.find(f"{A}off")
    if transform is None or offset is None:
        return PlacedShape(element, role, description)
    left, top = _integer(offset, "x", 0), _integer(offset, "y", 0)
    if size is not None and _is_outside(left, top, transform.find(f"{A}ext"), size):
        return None
    return PlacedShape(element, role, description, max(top, 0), left)


def _transforms(element: etree._Element) -> Iterator[etree._Element | None]:
    yield element.find(f"{P}spPr/{A}xfrm")
    yield element.find(f"{P}grpSpPr/{A}xfrm")
    yield element.find(f"{P}xfrm")


def _is_outside(left: int, top: int, extent: etree._Element | None, size: tuple[int, int]) -> bool:
    wide = 0 if extent is None else _integer(extent, "cx", 0)
    high = 0 if extent is None else _integer(extent, "cy", 0)
    return left >= size[0] or top >= size[1] or left + wide < 0 or top + high < 0


def _integer(element: etree._Element, name: str, otherwise: int) -> int:
    value = element.get(name, "")
    return int(value) if value.lstrip("-").isdecimal() else otherwise
