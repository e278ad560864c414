"""The models on offer: what each can do, and what it costs. The prices are written down here apart
from our client's table, so that a mistake in that one shows in the bill."""

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["ocr", "embed", "chat", "code"]

_PER = {"ocr": 1_000, "embed": 1_000_000, "chat": 1_000_000, "code": 1_000_000}
"""Pages or tokens for which the prices are."""

_CACHED = Decimal("0.1")
"""Of the price, for tokens the provider still had."""

_IN_BATCH = Decimal("0.5")


class Model(Struct, frozen=True):
    id: str
    kind: Kind
    input: str
    """USD for a million tokens, or for 1,000 pages."""
    output: str = "0"
    """USD for a million tokens written, or for 1,000 pages with annotations."""
    aliases: tuple[str, ...] = ()
    context: int = 32_768
    width: int = 0
    widest: int = 0
    """0 where no width may be asked for."""
    reasons: bool = False
    has_blocks: bool = False
    retires: str | None = None
    successor: str | None = None


class Units(Struct, frozen=True):
    """What is counted of one request."""

    pages: int = 0
    annotated: int = 0
    """Of `pages`: those that came with an annotation."""
    prompt: int = 0
    cached: int = 0
    """Of `prompt`."""
    written: int = 0

    def __add__(self, other: "Units") -> "Units":
        return Units(
            self.pages + other.pages,
            self.annotated + other.annotated,
            self.prompt + other.prompt,
            self.cached + other.cached,
            self.written + other.written,
        )


CATALOG = (
    Model(
        "mistral-ocr-4-1", "ocr", "4", "5", ("mistral-ocr-4", "mistral-ocr-latest"), has_blocks=True
    ),
    Model("mistral-ocr-4-0", "ocr", "4", "5", has_blocks=True),
    Model("mistral-ocr-2512", "ocr", "2", "3"),
    Model(
        "mistral-embed",
        "embed",
        "0.10",
        aliases=("mistral-embed-2312",),
        context=8_192,
        width=1_024,
    ),
    Model(
        "codestral-embed",
        "embed",
        "0.15",
        aliases=("codestral-embed-2505",),
        context=8_192,
        width=1_536,
        widest=3_072,
    ),
    Model("mistral-large-2512", "chat", "0.50", "1.50", ("mistral-large-latest",), 262_144),
    Model(
        "mistral-medium-3-5",
        "chat",
        "1.50",
        "7.50",
        ("mistral-medium-3", "mistral-medium-latest"),
        262_144,
        reasons=True,
    ),
    Model(
        "mistral-small-2603",
        "chat",
        "0.15",
        "0.60",
        ("mistral-small-latest",),
        262_144,
        reasons=True,
    ),
    Model("ministral-14b-2512", "chat", "0.20", "0.20", context=262_144),
    Model("ministral-8b-2512", "chat", "0.15", "0.15", context=262_144),
    Model("ministral-3b-2512", "chat", "0.10", "0.10", context=262_144),
    Model("codestral-2508", "code", "0.30", "0.90", ("codestral-latest",), 131_072),
    Model(
        "devstral-2512",
        "chat",
        "0.40",
        "2.00",
        ("devstral-latest",),
        262_144,
        retires="2026-12-31T12:00:00Z",
        successor="mistral-medium-3-5",
    ),
)
MODELS = {name: model for model in CATALOG for name in (model.id, *model.aliases)}


def canonical(name: str) -> str:
    """The id that an alias stands for."""
    model = MODELS.get(name)
    return model.id if model else name


def of_kinds(*kinds: Kind) -> set[str]:
    return {name for name, model in MODELS.items() if model.kind in kinds}


def price(name: str, units: Units, *, in_batch: bool) -> Decimal:
    """USD; 0 for a model that a test has made up."""
    model = MODELS.get(name)
    if model is None:
        return Decimal(0)
    paid_input = (
        units.pages - units.annotated + units.prompt - units.cached + _CACHED * units.cached
    )
    paid_output = units.annotated + units.written
    usd = (paid_input * Decimal(model.input) + paid_output * Decimal(model.output)) / _PER[
        model.kind
    ]
    return usd * _IN_BATCH if in_batch else usd


def card(name: str) -> dict[str, Any]:
    """As `/v1/models` lists it. No flag tells an embedding model from another."""
    model = MODELS.get(name, Model(name, "chat", "0"))
    names = (model.id, *model.aliases)
    return {
        "id": name,
        "object": "model",
        "created": 1_780_000_000,
        "owned_by": "mistralai",
        "name": model.id,
        "description": f"Fake {model.kind} model.",
        "max_context_length": model.context,
        "aliases": [other for other in names if other != name],
        "deprecation": model.retires,
        "deprecation_replacement_model": model.successor,
        "default_model_temperature": 0.3 if model.kind in ("chat", "code") else None,
        "type": "base",
        "capabilities": {
            "completion_chat": model.kind in ("chat", "code"),
            "function_calling": model.kind in ("chat", "code"),
            "reasoning": model.reasons,
            "completion_fim": model.kind == "code",
            "fine_tuning": False,
            "vision": model.kind == "chat",
            "ocr": model.kind == "ocr",
        },
    }
