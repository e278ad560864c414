"""A page's markdown with its tables and pictures put where their placeholders stand."""

import re
from collections.abc import Mapping

from msgspec import Struct

from rag.errors import MalformedReply
from rag.mistral.ocr.html_tables import with_markdown_tables
from rag.mistral.ocr.pictures import Pictures
from rag.mistral.wire.decoding import PROVIDER
from rag.mistral.wire.ocr import OcrBlock, OcrPage

_PLACEHOLDER = re.compile(r"(!?)\[([^\[\]\n]*)\]\(([^()\s]+)\)")
_TABLE_NAME = re.compile(r"tbl-\d+\.(md|html)")


class Insets(Struct, frozen=True):
    """What the text of a page only names."""

    tables: Mapping[str, str]
    """In markdown, by their names."""
    pictures: Pictures

    def filled(self, markdown: str) -> str:
        """Each `[tbl-0.md](tbl-0.md)` becomes its table, each `![img-0.jpeg](img-0.jpeg)` what
        stands for the picture. All other links stay."""

        def meaning(match: re.Match[str]) -> str:
            is_picture, label, target = match.groups()
            if is_picture and self.pictures.has(target):
                return self.pictures.shown(target, label)
            if not is_picture and label == target:
                return self.tables.get(target, match[0])
            return match[0]

        return with_markdown_tables(_PLACEHOLDER.sub(meaning, markdown))

    def content(self, block: OcrBlock) -> str:
        """A block as it stands in the running text."""
        named = self.tables.get(block.table_id or "")
        if named is not None:
            return named
        content = clean(block.content).strip()
        if block.image_id and not content:
            return self.pictures.shown(block.image_id, block.image_id)
        return self.filled(content)


def insets(page: OcrPage, prefix: str) -> Insets:
    """
    Args:
        prefix: of the names of pictures.
    """
    tables = {
        table.id: with_markdown_tables(clean(table.content)).strip() for table in page.tables or ()
    }
    return Insets(tables, Pictures(page.images, prefix))


def clean(markdown: str) -> str:
    return markdown.replace("\r\n", "\n").replace("\x00", "")


def check_tables(page: OcrPage, number: int) -> None:
    """
    Raises:
        MalformedReply: the text names a table that the reply does not carry.
    """
    sent = {table.id for table in page.tables or ()}
    for is_picture, label, target in _PLACEHOLDER.findall(page.markdown):
        is_table = not is_picture and label == target and _TABLE_NAME.fullmatch(target)
        if is_table and target not in sent:
            raise MalformedReply(PROVIDER, f"found a table on page {number}, and did not send it")
