"""A Word document is what a person sees in it, in order."""

import pytest
from packages import docx, paragraph, read

from rag.errors import InvalidDocument

HEADINGS = (
    '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="H2"><w:basedOn w:val="H1"/>'
    '<w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Loop"><w:basedOn w:val="Loop"/></w:style>'
    '<w:style w:type="character" w:styleId="Unseen"><w:rPr><w:vanish/></w:rPr></w:style>'
)
NUMBERS = (
    '<w:abstractNum w:abstractNumId="0">'
    '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl>'
    '</w:abstractNum><w:num w:numId="7"><w:abstractNumId w:val="0"/></w:num>'
)


def text_of(body: str, **parts: str) -> str:
    return read(docx(body, **parts)).text


def numbered(text: str, level: int) -> str:
    place = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="7"/></w:numPr>'
    return paragraph(text, place)


def test_headings_come_from_styles_and_what_they_are_based_on() -> None:
    document = read(
        docx(
            paragraph("One", '<w:pStyle w:val="H1"/>')
            + paragraph("Two", '<w:pStyle w:val="H2"/>')
            + paragraph("text", '<w:pStyle w:val="Loop"/>'),
            styles=HEADINGS,
        )
    )

    assert document.text == "# One\n\n## Two\n\ntext"
    assert [(b.kind, b.level) for b in document.blocks] == [("title", 1), ("title", 2), ("text", 0)]
    assert document.title == "One"
    assert document.media_type.endswith("wordprocessingml.document")


def test_numbers_are_counted_as_word_does() -> None:
    body = numbered("a", 0) + numbered("b", 1) + numbered("c", 1) + numbered("d", 0)
    body += numbered("e", 1)

    assert text_of(body, numbering=NUMBERS).split("\n") == [
        "1. a",
        "  1.a) b",
        "  1.b) c",
        "2. d",
        "  2.a) e",
    ]


def test_merged_cells_keep_their_columns() -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    wide, tall = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>'
    table = (
        f"<w:tbl><w:tr>{cell('wide', wide)}{cell('c')}</w:tr>"
        f"<w:tr>{cell('tall', tall)}{cell('1|2')}{cell('3')}</w:tr>"
        f"<w:tr>{cell('x', '<w:vMerge/>')}{cell('4')}{cell('5')}</w:tr></w:tbl>"
    )

    assert text_of(table).split("\n") == [
        "| wide |  | c |",
        "| --- | --- | --- |",
        "| tall | 1\\|2 | 3 |",
        "|  | 4 | 5 |",
    ]


@pytest.mark.parametrize(
    "unseen",
    [
        paragraph("SECRET", run="<w:vanish/>"),
        paragraph("SECRET", run='<w:rStyle w:val="Unseen"/>'),
        paragraph("SECRET", run='<w:sz w:val="2"/>'),
        paragraph("SECRET", run='<w:color w:val="ffffff"/>'),
        "<w:p><w:del><w:r><w:t>SECRET</w:t></w:r></w:del></w:p>",
        "<w:p><w:r><w:instrText>SECRET</w:instrText></w:r></w:p>",
        paragraph("".join(chr(0xE0000 + ord(c)) for c in "SECRET")),
    ],
)
def test_what_nobody_sees_is_left_out(unseen: str) -> None:
    assert text_of(paragraph("seen") + unseen, styles=HEADINGS) == "seen"


def test_white_words_on_a_color_are_seen() -> None:
    on_red = '<w:color w:val="FFFFFF"/><w:shd w:fill="FF0000"/>'

    assert text_of(paragraph("seen", run=on_red)) == "seen"


def test_a_footnote_stands_below_the_paragraph_that_refers_to_it() -> None:
    body = '<w:p><w:r><w:t>claim</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
    note = f'<w:footnote w:id="2">{paragraph("proof")}</w:footnote>'

    assert text_of(body + paragraph("next"), footnotes=note) == "claim\n\nproof\n\nnext"


def test_inserted_words_links_and_text_boxes_are_read_once() -> None:
    mc = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    box = f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent>"
    body = (
        "<w:p><w:ins><w:r><w:t>new </w:t></w:r></w:ins>"
        "<w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>"
        f'<w:r><mc:AlternateContent xmlns:mc="{mc}"><mc:Choice><w:drawing>{box}</w:drawing>'
        f"</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent>"
        "</w:r></w:p>"
    )

    assert text_of(body) == "new link\n\nboxed"


def test_an_equation_is_read_as_latex() -> None:
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    body = (
        f'<w:p xmlns:m="{math}"><m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num>'
        "<m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath></w:p>"
    )

    assert text_of(body) == r"$\frac{a}{b}$"


def test_entities_are_refused_and_never_expanded() -> None:
    entity = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    package = docx(paragraph("&x;"), before=entity)

    with pytest.raises(InvalidDocument, match="entities"):
        read(package)


def test_a_footnote_that_refers_to_itself_is_read_once() -> None:
    reference = '<w:p><w:r><w:footnoteReference w:id="2"/><w:t>text</w:t></w:r></w:p>'
    note = f'<w:footnote w:id="2">{reference}</w:footnote>'

    assert text_of(reference * 2, footnotes=note) == "text\n\ntext\n\ntext"
