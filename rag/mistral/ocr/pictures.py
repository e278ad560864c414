"""What stands for a picture in the text of a page: what it shows where that was asked for, else
a name that no other picture has."""

import logging
import re

import msgspec
from msgspec import Struct

from rag.mistral.wire.chat import JsonSchema, ResponseFormat
from rag.mistral.wire.ocr import OcrImage

log = logging.getLogger(__name__)

DESCRIPTION = ResponseFormat(
    JsonSchema(
        "picture",
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["description"],
            "properties": {
                "description": {
                    "type": "string",
                    "description": "What the picture shows, in a few sentences, in the language of"
                    " the document. Of a chart or diagram also its labels and values.",
                }
            },
        },
    )
)
"""Asked of each picture where pictures are described: a vision model then runs once for each."""

_NAME = re.compile(r"img-\d+\.\w+")
_UNDESCRIBED = re.compile(r"!\[\]\([^()\s]*\)")


class _Annotation(Struct, frozen=True):
    description: str = ""


class Pictures:
    """Those of one page. Their names begin anew with every request, so `img-0.jpeg` is in every
    document, and with some models on every page."""

    def __init__(self, images: tuple[OcrImage, ...], prefix: str) -> None:
        """
        Args:
            prefix: of document and page.
        """
        self._described = {image.id: _description(image) for image in images}
        self._prefix = prefix

    def has(self, name: str) -> bool:
        return name in self._described or _NAME.fullmatch(name) is not None

    def shown(self, name: str, label: str) -> str:
        """What stands for the picture: its description, or its unique name."""
        description = self._described.get(name)
        return description or f"![{'' if label == name else label}]({self._prefix}-{name})"


def says_anything(text: str) -> bool:
    """Whether there is more in it than pictures that nobody described."""
    return any(character.isalnum() for character in _UNDESCRIBED.sub("", text))


def _description(image: OcrImage) -> str:
    if not image.image_annotation:
        return ""
    try:
        annotation = msgspec.json.decode(image.image_annotation, type=_Annotation)
    except (msgspec.DecodeError, UnicodeEncodeError):
        log.warning(
            "the description of a picture cannot be read; the picture stays without one",
            extra={"action": "picture_unreadable"},
        )
        return ""
    return " ".join(annotation.description.split())
