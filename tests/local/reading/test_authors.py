"""Whoever a file says has written it becomes an attribute of its document."""

from collections.abc import Callable

import pytest
from open_documents import odf
from packages import WORD, office, paragraph, read
from tiny_pdf import Text, pdf

DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
ODF = "urn:oasis:names:tc:opendocument:xmlns"
TEXT = "<text:p>All went well this year.</text:p>"


def word(creator: str) -> bytes:
    body = f"<w:body>{paragraph('All went well this year.')}</w:body>"
    return office(
        "word/document.xml",
        {
            "word/document.xml": f'<w:document xmlns:w="{WORD}">{body}</w:document>',
            "docProps/core.xml": f"<coreProperties {DC}><dc:creator>{creator}</dc:creator>"
            "</coreProperties>",
        },
    )


def open_text(creator: str) -> bytes:
    meta = (
        f'<office:document-meta xmlns:office="{ODF}:office:1.0" xmlns:meta="{ODF}:meta:1.0">'
        f"<office:meta><meta:initial-creator>{creator}</meta:initial-creator></office:meta>"
        "</office:document-meta>"
    )
    return odf("text", TEXT, **{"meta.xml": meta})


def printed(creator: str) -> bytes:
    return pdf([Text(50, 100, "All went well this year.")], author=creator)


@pytest.mark.parametrize("made", [word, open_text, printed])
def test_an_author_is_an_attribute(made: Callable[[str], bytes]) -> None:
    assert read(made("Ann  Lee")).attributes == {"author": "Ann Lee"}
    assert read(made("")).attributes == {}


def test_what_no_name_can_be_is_left_out() -> None:
    assert read(word("Ann, " * 100)).attributes == {}
    assert read(printed("untitled")).attributes == {}
