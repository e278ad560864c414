"""An embedding model and what else changes its vectors: one word says all of it.

`codestral-embed@512/int8` are the first 512 dimensions of `codestral-embed`, sent as small
integers. That word is the setting, the name under which vectors are kept, and what a collection
remembers, so that vectors of two kinds cannot meet.
"""

import re
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from rag.errors import InvalidSettings

Coding: TypeAlias = Literal["float", "int8", "binary"]
"""How numbers are sent. `int8` keeps nearly all of a vector in a fifth of the bytes, `binary` its
signs alone. `uint8` and `ubinary`, which are offered too, say the same in other words."""

MODEL = "mistral-embed"
"""The id of December 2023, and still the only one for text: it has no newer version to move to."""


class _Widths(Struct, frozen=True):
    usual: int
    """Where none is asked for."""
    most: int | None = None
    """That may be asked for; None where none may."""


_CODE = _Widths(1_536, 3_072)

_MODELS: dict[str, _Widths] = {
    "mistral-embed": _Widths(1_024),
    "mistral-embed-2312": _Widths(1_024),
    "codestral-embed": _CODE,
    "codestral-embed-2505": _CODE,
}

_NAME = re.compile(r"(?P<model>[^@/]+)(@(?P<width>\d{1,5}))?(/(?P<coding>\w+))?")


class Profile(Struct, frozen=True):
    """
    >>> profile("codestral-embed@512").width
    512
    """

    model: str
    """Its id at the provider."""
    width: int
    coding: Coding = "float"

    @property
    def name(self) -> str:
        width = "" if self.is_of_usual_width else f"@{self.width}"
        return self.model + width + ("" if self.coding == "float" else f"/{self.coding}")

    @property
    def is_of_usual_width(self) -> bool:
        return self.width == _MODELS[self.model].usual


def profile(name: str) -> Profile:
    """
    Raises:
        InvalidSettings: no model of that name is known, or it has no such vectors.
    """
    parts = _NAME.fullmatch(name)
    widths = _MODELS.get(parts["model"]) if parts else None
    if parts is None or widths is None:
        raise InvalidSettings(
            f"{name!r} is no embedding model known here; known are {', '.join(_MODELS)},"
            " and for instance codestral-embed@512/int8"
        )
    coding = parts["coding"] or "float"
    if coding not in get_args(Coding):
        raise InvalidSettings(f"{name!r}: {coding!r} is none of {', '.join(get_args(Coding))}")
    width = int(parts["width"] or widths.usual)
    if widths.most is None and (width, coding) != (widths.usual, "float"):
        raise InvalidSettings(f"{name!r}: {parts['model']} is {widths.usual} wide, in floats only")
    if not 0 < width <= (widths.most or widths.usual):
        raise InvalidSettings(f"{name!r}: {parts['model']} is at most {widths.most} wide")
    return Profile(parts["model"], width, coding)  # type: ignore[arg-type]  # one of Coding
