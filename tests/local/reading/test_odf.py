"""OpenDocument texts, spreadsheets and presentations are what a person sees of them."""

import pytest
from open_documents import hidden, odf
from packages import read, zipped

from rag.errors import EncryptedDocument, UnsupportedMediaType


def test_headings_lists_and_notes_are_kept() -> None:
    numbers = (
        '<text:list-style style:name="N"><text:list-level-style-number text:level="1" '
        'style:num-format="1"/></text:list-style>'
    )
    body = (
        '<text:h text:outline-level="2">Head</text:h>'
        "<text:p>a<text:s text:c='2'/>b<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>note</text:p></text:note-body></text:note></text:p>"
        '<text:list text:style-name="N"><text:list-item><text:p>one</text:p><text:list>'
        "<text:list-item><text:p>deep</text:p></text:list-item></text:list></text:list-item>"
        "<text:list-item><text:p>two</text:p></text:list-item></text:list>"
    )

    document = read(odf("text", body, numbers))

    assert document.text == "## Head\n\na  b\n\nnote\n\n1. one\n  - deep\n2. two"
    assert document.media_type == "application/vnd.oasis.opendocument.text"


def test_an_exponent_and_a_table_stay_what_they_are() -> None:
    style = hidden("Up", 'style:text-position="super 58%"')
    row = (
        "<table:table-row><table:table-cell><text:p>x|y</text:p></table:table-cell>"
        '<table:table-cell><text:p>10<text:span text:style-name="Up">2</text:span></text:p>'
        "</table:table-cell></table:table-row>"
    )

    assert read(odf("text", f"<table:table>{row}</table:table>", style)).text == (
        "| x\\|y | 10² |\n| --- | --- |"
    )


@pytest.mark.parametrize(
    "unseen",
    [
        '<text:p><text:span text:style-name="Unseen">SECRET</text:span></text:p>',
        '<text:p text:style-name="Unseen">SECRET</text:p>',
        "<text:p><text:hidden-text>SECRET</text:hidden-text></text:p>",
        "<text:tracked-changes><text:p>SECRET</text:p></text:tracked-changes>",
        "<text:p><office:annotation><text:p>SECRET</text:p></office:annotation></text:p>",
    ],
)
def test_what_nobody_sees_is_left_out(unseen: str) -> None:
    style = hidden("Unseen", 'text:display="none"')

    assert read(odf("text", "<text:p>seen</text:p>" + unseen, style)).text == "seen"


def cell(text: str, properties: str = "") -> str:
    return f"<table:table-cell {properties}><text:p>{text}</text:p></table:table-cell>"


def test_a_sheet_knows_its_cells_and_a_million_blank_rows_are_none() -> None:
    rows = (
        f"<table:table-row>{cell('a')}{cell('b')}</table:table-row>"
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/>'
        "</table:table-row>"
        f'<table:table-row table:visibility="collapse">{cell("SECRET")}</table:table-row>'
        f"<table:table-row>{cell('3.4.26', 'office:date-value=' + repr('2026-04-03'))}"
        "</table:table-row>"
    )
    sheet = f'<table:table table:name="S">{rows}</table:table>'
    unseen = '<table:table table:name="T" table:style-name="H">' + rows + "</table:table>"
    style = hidden("H", 'table:display="false"')

    document = read(odf("spreadsheet", sheet + unseen, style))

    assert document.text == "## S\n\n| a | b |\n| --- | --- |\n\n2026-04-03"
    assert [b.place for b in document.blocks[1:]] == ["S!A1:B1", "S!A1000003"]
    assert [page.reason for page in document.pages] == [
        "a sheet's own cells; 1 hidden rows or columns are left out",
        "a hidden sheet is left out",
    ]


def test_a_slide_has_its_title_first_and_its_notes_last() -> None:
    def frame(text: str, role: str = "") -> str:
        return (
            f'<draw:frame presentation:class="{role}"><draw:text-box><text:p>{text}</text:p>'
            "</draw:text-box></draw:frame>"
        )

    notes = f"<presentation:notes>{frame('say')}</presentation:notes>"
    shown = f"<draw:page>{frame('body')}{frame('Title', 'title')}{frame('9', 'footer')}{notes}"
    unseen = f'<draw:page draw:style-name="H">{frame("SECRET")}</draw:page>'
    style = hidden("H", 'presentation:visibility="hidden"')

    document = read(odf("presentation", f"{unseen}{shown}</draw:page>", style))

    assert document.text == "## Title\n\nbody\n\nNotes: say"
    assert [page.number for page in document.pages] == [1, 2]


def test_an_encrypted_file_is_refused_as_such() -> None:
    manifest = (
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        "<m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"
    )

    with pytest.raises(EncryptedDocument):
        read(odf("text", "<text:p>x</text:p>", **{"META-INF/manifest.xml": manifest}))


def test_a_kind_without_text_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedMediaType, match="database"):
        read(odf("database", "<text:p>x</text:p>"))


def test_a_book_is_its_chapters_in_order_of_reading() -> None:
    def page(text: str) -> str:
        return f"<html><body><h1>{text}</h1></body></html>"

    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata><title '
        'xmlns="http://purl.org/dc/elements/1.1/">Book</title></metadata><manifest>'
        '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        '<item id="b" href="b%20c.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="n"/><itemref idref="b"/><itemref idref="a"/></spine></package>'
    )
    container = '<container><rootfiles><rootfile full-path="in/p.opf"/></rootfiles></container>'
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "in/p.opf": package,
        "in/nav.xhtml": page("contents"),
        "in/a.xhtml": page("last"),
        "in/b c.xhtml": page("first"),
    }
    locked = '<e><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></e>'

    document = read(zipped(members))

    assert (document.title, document.text) == ("Book", "# first\n\n# last")
    with pytest.raises(EncryptedDocument, match="locked"):
        read(zipped(members | {"META-INF/encryption.xml": locked}))
