"""A block as the provider tells of it, in our words; its place in the text is not known yet."""

from msgspec import Struct

from rag.domain import BlockKind, Box

KINDS: dict[str, BlockKind] = {
    "title": "title",
    "text": "text",
    "list": "list",
    "table": "table",
    "image": "image",
    "equation": "equation",
    "caption": "caption",
    "code": "code",
    "header": "header",
    "footer": "footer",
    "references": "text",
    "aside_text": "text",
    "signature": "text",
}
"""The provider's kinds in our words; a kind it adds later is `text`."""


class PrintedBlock(Struct, frozen=True):
    """A block that has something to read."""

    kind: BlockKind
    content: str
    box: Box | None
    confidence: float | None
    is_edge: bool = False
    """Whether the provider holds it for the page's header or footer."""


def share(score: float | None) -> float | None:
    """A confidence, where it is one."""
    return score if score is not None and 0 <= score <= 1 else None
