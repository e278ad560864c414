"""What the fake provider answers where a test does not say otherwise: plausible, and derived
from what was asked."""

import base64
import hashlib
import math
import re
from typing import Any

import msgspec
import pypdfium2

from fake_mistral.contract import Chat, DocumentUrl, ImageUrl, Ocr

DPI = 200
WORD = re.compile(r"\w+")


class Unparsable(Exception):
    """These bytes are no document."""


def tokens(text: str) -> int:
    """Between the prose and the bytes: what the fake provider counts by."""
    return 2 + -(-len(text.encode()) // 3)


def vector(text: str, width: int) -> list[float]:
    """Words hashed to places, so that texts that share words are near. Of length 1."""
    row = [0.0] * width
    for word in WORD.findall(text.lower()) or [text]:
        digest = hashlib.sha256(word.encode()).digest()
        row[int.from_bytes(digest[:4]) % width] += 1.0 if digest[4] % 2 else -1.0
    if not any(row):
        row[0] = 1.0
    length = math.sqrt(sum(x * x for x in row))
    return [x / length for x in row]


def ocr_pages(request: Ocr) -> list[dict[str, Any]]:
    """The text layer of a PDF, or one line about an image.

    Raises:
        Unparsable: the document is none.
    """
    match request.document:
        case DocumentUrl(document_url=url):
            texts = _pdf_texts(_bytes(url))
        case ImageUrl(image_url=str(url)):
            texts = [f"An image of {len(_bytes(url))} bytes."]
        case _:
            raise Unparsable
    return [_page(index, text, request) for index, text in enumerate(texts)]


def _bytes(url: str) -> bytes:
    head, comma, data = url.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64") and comma):
        raise Unparsable
    return base64.b64decode(data, validate=True)


def _pdf_texts(content: bytes) -> list[str]:
    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise Unparsable from error
    try:
        return [page.get_textpage().get_text_range() for page in pdf]
    finally:
        pdf.close()


def _page(index: int, text: str, request: Ocr) -> dict[str, Any]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    blocks = [
        {
            "type": "text",
            "content": line,
            "top_left_x": 100,
            "top_left_y": 100 + 2000 * number // len(lines),
            "bottom_right_x": 1600,
            "bottom_right_y": 100 + 2000 * (number + 1) // len(lines),
            "confidence_scores": {"average_content_confidence_score": 0.97}
            if request.confidence_scores_granularity == "block"
            else None,
        }
        for number, line in enumerate(lines)
    ]
    scores = {"average_page_confidence_score": 0.97, "minimum_page_confidence_score": 0.5}
    return {
        "index": index,
        "markdown": "\n\n".join(lines),
        "images": [],
        "tables": [],
        "hyperlinks": [],
        "header": None,
        "footer": None,
        "dimensions": {"dpi": DPI, "height": 2200, "width": 1700},
        "confidence_scores": scores if request.confidence_scores_granularity else None,
        "blocks": blocks if request.include_blocks else None,
    }


def draft(request: Chat) -> str:
    """The block nearest to the question in words, quoted whole; or that none is near."""
    lines = [_object(line) for line in str(request.messages[1].content).split("\n")]
    blocks = [line for line in lines if "block" in line]
    [question] = [line["question"] for line in lines if "question" in line]
    asked = set(WORD.findall(question.lower()))
    shared = {b["block"]: len(asked & set(WORD.findall(b["text"].lower()))) for b in blocks}
    best = max(blocks, key=lambda block: shared[block["block"]])
    evidence = [{"block": best["block"], "quote": best["text"]}]
    claims = [{"text": best["text"], "evidence": evidence}] if shared[best["block"]] else []
    return msgspec.json.encode({"sufficient": bool(claims), "claims": claims}).decode()


def _object(line: str) -> dict[str, Any]:
    return msgspec.json.decode(line) if line.startswith("{") else {}
