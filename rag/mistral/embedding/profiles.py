"""An embedding model and what else changes its vectors: one word says all of it.

`codestral-embed@512/int8` are the first 512 dimensions of `codestral-embed`, sent as small
integers. That word is the setting, the name under which vectors are kept, and what a collection
remembers, so that vectors of two kinds cannot meet. The name of a model at another host ends in
that host, because another host may call another model the same: `bge-m3@1024@127.0.0.1:11434`.
Where passages are sent with a prompt, its digest stands behind that.
"""

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from rag.domain import InputType
from rag.errors import InvalidSettings
from rag.mistral.embedding.packing import LONGEST_INPUT, token_bound_elsewhere

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

LEAST_READ = 32
"""Tokens of a text that a model must read; half of what the settings demand without prompts."""

_ASKED_WIDTH = re.compile(r"(?P<model>.+)@(?P<width>\d{1,5})")
"""Other hosts' ids may hold anything: `@cf/baai/bge-m3`."""

_NAME = re.compile(r"(?P<model>[^@/]+)(@(?P<width>\d{1,5}))?(/(?P<coding>\w+))?")


class Prompts(Struct, frozen=True):
    """What a model was trained to read before a text, and without which it finds less: `query: `
    and `passage: ` for e5, a sentence before questions alone for bge."""

    query: str = ""
    passage: str = ""

    def before(self, texts: Sequence[str], input_type: InputType) -> tuple[str, ...]:
        """
        >>> Prompts(query="query: ").before(["why"], "query")
        ('query: why',)
        """
        prompt = self.query if input_type == "query" else self.passage
        return tuple(prompt + text for text in texts)


NO_PROMPTS = Prompts()


class Elsewhere(Struct, frozen=True):
    """What is known of a model at another host, which is what its operator says of it."""

    host: str
    longest: int
    """Tokens of one text."""
    asks_width: bool = False
    """Whether the host is asked for vectors of this width; many refuse the question."""
    price: Decimal | None = None
    """USD for a million tokens; None where nobody said."""
    prompts: Prompts = NO_PROMPTS

    @property
    def mark(self) -> str:
        """What else tells the vectors of passages from others of the model. Questions have none:
        their prompt may change while passages stay as they are."""
        passage = self.prompts.passage
        return f"+{hashlib.sha256(passage.encode()).hexdigest()[:8]}" if passage else ""


class Profile(Struct, frozen=True):
    """
    >>> profile("codestral-embed@512").width
    512
    """

    model: str
    """Its id at the provider."""
    width: int
    coding: Coding = "float"
    elsewhere: Elsewhere | None = None
    """None for Mistral's own."""

    @property
    def name(self) -> str:
        if self.elsewhere is not None:
            return f"{self.model}@{self.width}@{self.elsewhere.host}{self.elsewhere.mark}"
        width = "" if self.is_of_usual_width else f"@{self.width}"
        return self.model + width + ("" if self.coding == "float" else f"/{self.coding}")

    @property
    def reads(self) -> int:
        """Tokens of one input, special ones and prompts included."""
        return LONGEST_INPUT if self.elsewhere is None else self.elsewhere.longest

    @property
    def longest(self) -> int:
        """Tokens of one text, special ones included: what prompts leave of an input."""
        longer = max(self.prompts.query, self.prompts.passage, key=len)
        return self.reads - (token_bound_elsewhere(longer) if longer else 0)

    @property
    def prompts(self) -> Prompts:
        return NO_PROMPTS if self.elsewhere is None else self.elsewhere.prompts

    @property
    def is_unpriced(self) -> bool:
        return self.elsewhere is not None and self.elsewhere.price is None

    @property
    def is_of_usual_width(self) -> bool:
        """Whether it need not be asked for."""
        if self.elsewhere is not None:
            return not self.elsewhere.asks_width
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


def profile_elsewhere(
    name: str,
    host: str,
    *,
    width: int | None,
    longest: int,
    price: Decimal | None = None,
    prompts: Prompts = NO_PROMPTS,
) -> Profile:
    """Of a model at another host. `text-embedding-3-large@256` asks it for 256 numbers.

    Args:
        width: of the model's vectors, where none is asked for.

    Raises:
        InvalidSettings: the width is missing, or said twice and differently.
    """
    asked = _ASKED_WIDTH.fullmatch(name)
    model, asked_width = (asked["model"], int(asked["width"])) if asked else (name, None)
    wide = asked_width or width
    if not wide:
        raise InvalidSettings(f"how wide the vectors of {name} are is not known here; say it")
    if width not in (None, wide):
        raise InvalidSettings(f"{name} asks for another width than {width}; say one of the two")
    elsewhere = Elsewhere(host, longest, asked_width is not None, price, prompts)
    made = Profile(model, wide, elsewhere=elsewhere)
    if made.longest < LEAST_READ:
        raise InvalidSettings(
            f"{name} reads {longest} tokens, of which its prompts may leave {max(0, made.longest)}"
            " for a text; give it shorter ones"
        )
    return made
