"""Whatever the provider says, a document is one text and spans of it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from papers import spanned
from seeded_pages import any_page

from rag.chunking.chunks import chunk
from rag.domain import Document, Source
from rag.errors import EmptyDocument, MalformedReply
from rag.mistral.ocr.documents import document_of, recognized
from rag.mistral.ocr.replies import billed_pages, sent_pages

SOURCE = Source("reports/2025.pdf", b"%PDF-")


def read(pages: list[dict[str, Any]], numbers: list[int]) -> Document:
    body = json.dumps({"pages": pages, "model": "m", "usage_info": {}}).encode()
    sent = sent_pages(body, numbers, "mistral-ocr-4-0")
    found = recognized(sent.pages, SOURCE.version, "application/pdf")
    return document_of(SOURCE, SOURCE.version, "application/pdf", found)


@settings(max_examples=60)
@given(st.lists(any_page, min_size=1, max_size=6), st.permutations(range(6)), st.booleans())
def test_every_span_is_in_its_page_in_order_and_on_paper(
    pages: list[dict[str, Any]], order: list[int], anew: bool
) -> None:
    numbers = [3 * place + 2 for place in range(len(pages))]
    indexes = range(len(pages)) if anew else [number - 1 for number in numbers]
    sent = [{**page, "index": index} for page, index in zip(pages, indexes, strict=True)]
    shuffled = [sent[place] for place in order if place < len(sent)]
    try:
        document = read(shuffled, numbers)
    except EmptyDocument:
        return

    assert [page.number for page in document.pages] == numbers
    page_of = {page.number: page for page in document.pages}
    end = 0
    for page in document.pages:
        assert end <= page.start <= page.end <= len(document.text)
        assert not document.text[end : page.start].strip()
        end = page.end
    assert end == len(document.text)
    end = 0
    for block in document.blocks:
        page = page_of[block.page or 0]
        assert max(end, page.start) <= block.start < block.end <= page.end
        assert spanned(document, block).strip()
        assert block.confidence is None or 0 <= block.confidence <= 1
        if block.box:
            assert 0 <= block.box[0] < block.box[2] <= 1
            assert 0 <= block.box[1] < block.box[3] <= 1
        end = block.end
    for piece in chunk(document, limit=200, count_tokens=lambda texts: [len(t) for t in texts]):
        assert document.text[piece.start : piece.end] == piece.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"pages": [{"index": 0}]}',  # no text
        b'{"pages": [{"index": "0", "markdown": ""}]}',
        b'{"pages": [{"index": 0, "markdown": null}]}',
        b'{"pages": [{"index": -1, "markdown": ""}]}',
        b'{"pages": [{"index": 0, "markdown": "a", "blocks": [{"top_left_x": NaN}]}]}',
        b'{"pages": [{"index": 0, "markdown": "a", "blocks": [{"top_left_x": "1"}]}]}',
        b'{"pages": [{"index": 0, "markdown": "a"}], "usage_info": {"pages_processed": 2}}',
        b'{"pages": [{"index": 0, "markdown": "a"}]',
        b'{"pages": [{"index": 0, "markdown": "a"}]} {}',
        b'{"pages": [{"index": 0, "markdown": "[tbl-0.md](tbl-0.md)"}]}',
    ],
)
def test_a_reply_of_another_shape_is_not_believed(body: bytes) -> None:
    with pytest.raises(MalformedReply):
        sent_pages(body, [1], "m")


def test_numbers_too_large_to_be_places_are_none() -> None:
    block = {"content": "a", "top_left_x": 0, "top_left_y": 0, "bottom_right_x": 1e308}
    frame = {"dpi": 1, "width": 1, "height": 1}
    page = {"index": 0, "markdown": "a", "dimensions": frame}

    [wide] = read([{**page, "blocks": [{**block, "bottom_right_y": 1}]}], [1]).blocks
    [open_ended] = read([{**page, "blocks": [block]}], [1]).blocks

    assert wide.box == (0, 0, 1, 1)
    assert open_ended.box is None


def test_a_bill_is_read_even_off_a_reply_that_cannot_be_used() -> None:
    assert billed_pages(b'{"pages": 5, "usage_info": {"pages_processed": 7}}') == 7
    assert billed_pages(b'{"pages": 5}') is None
    assert billed_pages(b"<html>") is None


def test_a_reply_that_tells_no_usage_is_billed_by_its_pages() -> None:
    body = b'{"pages": [{"index": 0, "markdown": "a"}]}'

    assert sent_pages(body, [1], "m").billed == 1
