"""What stands where on a page, in pixels."""

from typing import Literal, TypeAlias

from msgspec import Struct

DPI = 200

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

Kind: TypeAlias = Literal["title", "text", "list", "table", "image", "header", "footer"]


SHEET = (1700, 2200)
"""Pixels of a letter page."""


class Unparsable(Exception):
    """These bytes are no document."""


class Item(Struct, frozen=True):
    """One block: its text, or its rows where it is a table."""

    kind: Kind
    box: Box
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


class PageLayout(Struct, frozen=True):
    width: int
    height: int
    items: tuple[Item, ...] = ()
