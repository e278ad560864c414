"""What stands on a page -> the page of an OCR reply, as the request wants it."""

import base64
import io
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from PIL import Image

from .contract import Ocr
from .instances import instance
from .layouts import DPI, Item, PageLayout
from .tokens import spread

MOST_ANNOTATED_IMAGES = 8

_WORD = re.compile(r"\S+")
_LINK = re.compile(r"https?://[^\s)>\]]+")


class Numbers(Struct):
    """Of the images and tables so far: they run over the whole document."""

    images: int = 0
    tables: int = 0


class Composition:
    """One page under way."""

    def __init__(self, asked: Ocr, numbers: Numbers, *, has_blocks: bool) -> None:
        self._asked = asked
        self._numbers = numbers
        self._has_blocks = has_blocks
        self._lines: list[str] = []
        self._images: list[dict[str, Any]] = []
        self._tables: list[dict[str, Any]] = []
        self._blocks: list[dict[str, Any]] = []
        self._margins: dict[str, str] = {}

    def page(self, index: int, laid_out: PageLayout) -> dict[str, Any]:
        for item in laid_out.items:
            self._add(item)
        markdown = "\n\n".join(self._lines)
        scores = self._asked.confidence_scores_granularity
        blocks = self._blocks if self._has_blocks else []
        return {
            "index": index,
            "markdown": markdown,
            "images": self._images,
            "tables": self._tables,
            "hyperlinks": _LINK.findall(markdown),
            "header": self._margins.get("header"),
            "footer": self._margins.get("footer"),
            "dimensions": {"dpi": DPI, "height": laid_out.height, "width": laid_out.width},
            "confidence_scores": _page_scores(markdown, words=scores == "word") if scores else None,
            "blocks": blocks if self._asked.include_blocks else None,
        }

    def _add(self, item: Item) -> None:
        match item.kind:
            case "image":
                self._add_image(item)
            case "table":
                self._add_table(item)
            case "header" | "footer":
                self._add_margin(item)
            case "title":
                self._add_text(item, f"# {item.text}")
            case _:
                self._add_text(item, item.text)

    def _add_text(self, item: Item, markdown: str) -> None:
        self._lines.append(markdown)
        self._blocks.append(self._block(item, item.text))

    def _add_margin(self, item: Item) -> None:
        lifted = self._asked.extract_header if item.kind == "header" else self._asked.extract_footer
        if lifted:
            before = self._margins.get(item.kind)
            self._margins[item.kind] = f"{before}\n{item.text}" if before else item.text
        else:
            self._lines.append(item.text)
        self._blocks.append(self._block(item, item.text))

    def _add_table(self, item: Item) -> None:
        form = self._asked.table_format
        content = _html(item.rows) if form == "html" else _markdown(item.rows)
        name = None
        if form:
            name = f"tbl-{self._numbers.tables}.{'html' if form == 'html' else 'md'}"
            self._numbers.tables += 1
            self._tables.append({"id": name, "content": content, "format": form})
        self._lines.append(f"[{name}]({name})" if name else content)
        self._blocks.append(self._block(item, content, table_id=name))

    def _add_image(self, item: Item) -> None:
        left, top, right, bottom = item.box
        limit, smallest = self._asked.image_limit, self._asked.image_min_size or 0
        is_full = limit is not None and self._numbers.images >= limit
        if is_full or min(right - left, bottom - top) < smallest:
            return
        name = f"img-{self._numbers.images}.jpeg"
        self._numbers.images += 1
        wanted = self._asked.bbox_annotation_format
        note = None
        if wanted and wanted.json_schema and self._numbers.images <= MOST_ANNOTATED_IMAGES:
            note = msgspec.json.encode(instance(wanted.json_schema.definition)).decode()
        self._images.append(
            {
                "id": name,
                **_corners(item),
                "image_base64": _jpeg() if self._asked.include_image_base64 else None,
                "image_annotation": note,
            }
        )
        self._lines.append(f"![{name}]({name})")
        self._blocks.append(self._block(item, f"![{name}]({name})", image_id=name))

    def _block(self, item: Item, content: str, **more: str | None) -> dict[str, Any]:
        scores = None
        if self._asked.confidence_scores_granularity == "block":
            mean = spread(content, 0.9, 0.99)
            scores = {
                "average_content_confidence_score": mean,
                "minimum_content_confidence_score": round(mean - 0.2, 4),
                "block_type_confidence_score": 0.98,
            }
        block = {"type": item.kind, **_corners(item), "content": content, **more}
        return {**block, "confidence_scores": scores}


def _corners(item: Item) -> dict[str, int]:
    left, top, right, bottom = item.box
    return {
        "top_left_x": left,
        "top_left_y": top,
        "bottom_right_x": right,
        "bottom_right_y": bottom,
    }


def _page_scores(markdown: str, *, words: bool) -> dict[str, Any]:
    """By tokens; or by words, which gives other averages."""
    if not words:
        return {"average_page_confidence_score": 0.97, "minimum_page_confidence_score": 0.5}
    found = list(_WORD.finditer(markdown))
    each = [spread(match.group(), 0.8, 1.0) for match in found]
    return {
        "average_page_confidence_score": round(sum(each) / len(each), 4) if each else 1.0,
        "minimum_page_confidence_score": min(each, default=1.0),
        "word_confidence_scores": [
            {"text": match.group(), "confidence": score, "start_index": match.start()}
            for match, score in zip(found, each, strict=True)
        ],
    }


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows
    )
    return "\n".join([head, f"|{'---|' * len(rows[0])}", *body])


def _html(rows: Sequence[Sequence[str]]) -> str:
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


@cache
def _jpeg() -> str:
    """A gray square, as a data URL: that is how the samples show it."""
    file = io.BytesIO()
    Image.new("L", (8, 8), 128).save(file, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
