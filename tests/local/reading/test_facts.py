"""What a file says of itself is an attribute, in one form whatever wrote it."""

import io
import zipfile

import pytest
from open_documents import odf
from packages import WORD, office, paragraph, read

from rag.domain import Attribute
from rag.local.reading.facts import dated, dated_in_pdf, mailed

CORE = (
    '<coreProperties xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:dcterms="http://purl.org/dc/terms/"><dc:creator>Ann</dc:creator>'
    "<dcterms:created>2021-03-04T05:06:07Z</dcterms:created>"
    "<dcterms:modified>2022-03-04T05:06:07+02:00</dcterms:modified></coreProperties>"
)
ODF = "urn:oasis:names:tc:opendocument:xmlns"
META = (
    f'<office:document-meta xmlns:office="{ODF}:office:1.0" xmlns:meta="{ODF}:meta:1.0"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta>'
    "<meta:creation-date>2021-03-04T05:06:07.123</meta:creation-date>"
    "<dc:date>2022-03-04T03:06:07</dc:date></office:meta></office:document-meta>"
)
MAIL = (
    b"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nTo: Ann Lee <ann@example.org>,\r\n"
    b" bob@example.org\r\nSubject: The harbor\r\nDate: Thu, 4 Mar 2021 06:06:07 +0100\r\n\r\n"
    b"It is full.\r\n"
)
DATES = {"created": "2021-03-04T05:06:07Z", "modified": "2022-03-04T03:06:07Z"}


def book() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="b.opf"/></rootfiles></container>',
        )
        archive.writestr(
            "b.opf",
            '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>B</dc:title>'
            "<dc:creator>Ann</dc:creator><dc:date>2021-03-04</dc:date></metadata><manifest>"
            '<item id="a" href="a.html" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
        )
        archive.writestr("a.html", "<p>All went well this year.</p>")
    return buffer.getvalue()


def test_office_files_say_who_made_them_and_when() -> None:
    body = f"<w:body>{paragraph('All went well this year.')}</w:body>"
    main = f'<w:document xmlns:w="{WORD}">{body}</w:document>'
    word = office("word/document.xml", {"word/document.xml": main, "docProps/core.xml": CORE})
    text = odf("text", "<text:p>All went well this year.</text:p>", **{"meta.xml": META})

    assert read(word).attributes == {"author": "Ann"} | DATES
    assert read(text).attributes == DATES


def test_a_book_says_who_wrote_it_and_when_it_came_out() -> None:
    assert read(book()).attributes == {"author": "Ann", "created": "2021-03-04T00:00:00Z"}


def test_a_mail_says_who_wrote_to_whom_and_when() -> None:
    assert read(MAIL, "m.eml").attributes == {
        "sender": "Jörg <joerg@example.org>",
        "to": ("Ann Lee <ann@example.org>", "bob@example.org"),
        "subject": "The harbor",
        "sent": "2021-03-04T05:06:07Z",
    }


def test_outlook_names_people_without_addresses() -> None:
    assert mailed("Ann", "Bob Lee; Cleo", "", "2021-03-04 05:06 UTC") == {
        "sender": "Ann",
        "to": ("Bob Lee", "Cleo"),
        "sent": "2021-03-04T05:06:00Z",
    }


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("D:20210304060607+01'00'", "2021-03-04T05:06:07Z"),
        ("D:20210304050607Z00'00'", "2021-03-04T05:06:07Z"),
        ("20210304", "2021-03-04T00:00:00Z"),
        ("D:2021", "2021-01-01T00:00:00Z"),
        ("D:20211345", None),
        ("D:00000000", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_dates_of_pdfs(said: str | None, known: str | None) -> None:
    expected: dict[str, Attribute] = {} if known is None else {"created": known}

    assert dated_in_pdf(said, None) == expected


@pytest.mark.parametrize(
    "said", ["", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x"]
)
def test_what_is_no_moment_is_left_out(said: str) -> None:
    assert dated(said, said) == {}
    assert mailed("", "", "\0" + "x" * 400, said) == {}
