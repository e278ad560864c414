"""Pages of an OCR reply, as far as a test says what is on them."""

from typing import Any


def ocr_page(markdown: str, index: int = 0, **more: Any) -> dict[str, Any]:
    """A page of a reply, with nothing on it but what is given."""
    frame = {"dpi": 100, "width": 1000, "height": 2000}
    return {"index": index, "markdown": markdown, "images": [], "dimensions": frame, **more}


def ocr_block(kind: str, content: str, top: int = 0, **more: Any) -> dict[str, Any]:
    """A block 100 pixels wide and 100 high."""
    corners = {"top_left_x": 100, "top_left_y": top}
    ends = {"bottom_right_x": 200, "bottom_right_y": top + 100}
    return {"type": kind, "content": content, **corners, **ends, **more}
