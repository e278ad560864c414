"""What is written on pictures in office files and books is read by OCR."""

import pytest
from open_documents import odf
from packages import OFFICE, docx, paragraph, pptx, related, shape, xlsx, zipped
from pictured import Ocr, picture, with_parts

from rag.local.reading.pictures import MOST

DRAWN = (
    '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
    'wordprocessingDrawing"><wp:docPr id="1" name="" descr="A scan"/><a:graphic xmlns:a="http://'
    'schemas.openxmlformats.org/drawingml/2006/main"><a:blip r:embed="{id}"/></a:graphic>'
    "</wp:inline></w:drawing></w:r></w:p>"
)


def letter(image: bytes, *ids: str) -> bytes:
    body = paragraph("Dear all") + "".join(DRAWN.format(id=id) for id in ids) + paragraph("Yours")
    relations = related(*(("image", f"media/image{n}.png") for n in range(1, len(ids) + 1)))
    images: dict[str, str | bytes] = {
        f"word/media/image{n}.png": image for n in range(1, len(ids) + 1)
    }
    return with_parts(docx(body), {"word/_rels/document.xml.rels": relations, **images})


def test_a_picture_in_a_letter_is_read_where_it_stands() -> None:
    document = Ocr().read(letter(picture(), "rId1"))

    assert document.text == "Dear all\n\nA scan\n\nDue on 3 May\n\nYours"
    [block] = [block for block in document.blocks if block.kind == "image"]
    assert document.text[block.start : block.end] == "Due on 3 May"
    assert block.confidence == pytest.approx(0.9)


def test_a_logo_on_every_slide_is_read_once() -> None:
    logo = (
        '<p:pic><p:nvPicPr><p:cNvPr id="2" name=""/></p:nvPicPr>'
        '<p:blipFill><a:blip r:embed="rId1"/></p:blipFill></p:pic>'
    )
    slides = pptx(shape("One") + logo, shape("Two") + logo)
    relations = related(("image", "../media/image1.png"))
    ocr = Ocr()

    document = ocr.read(
        with_parts(
            slides,
            {
                "ppt/slides/_rels/slide1.xml.rels": relations,
                "ppt/slides/_rels/slide2.xml.rels": relations,
                "ppt/media/image1.png": picture(),
            },
        )
    )

    assert document.text == "One\n\nDue on 3 May\n\nTwo"
    assert ocr.asked == 1
    assert OFFICE in relations


@pytest.mark.parametrize(
    ("image", "ocr"),
    [
        (picture(40, 40), Ocr()),  # an icon
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, Ocr()),  # damaged
        (picture(), Ocr("~ ' il", 0.3)),  # a texture
        (picture(), Ocr("=-")),  # no words
    ],
)
def test_pictures_without_words_add_nothing(image: bytes, ocr: Ocr) -> None:
    assert ocr.read(letter(image, "rId1")).text == "Dear all\n\nA scan\n\nYours"


def test_no_more_pictures_are_read_than_there_is_time_for() -> None:
    ocr = Ocr()

    ocr.read(letter(picture(), *(f"rId{n}" for n in range(1, MOST + 6))))

    assert ocr.asked == MOST


def test_a_picture_on_a_sheet_stands_at_the_cell_where_it_is_anchored() -> None:
    drawing = (
        '<wsDr xmlns="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        f'xmlns:r="{OFFICE}"><oneCellAnchor><from><col>2</col><row>4</row></from>'
        '<pic><blipFill><a:blip r:embed="rId1"/></blipFill></pic></oneCellAnchor></wsDr>'
    )
    cells = '<sheetData><row r="1"><c t="inlineStr"><is><t>Total</t></is></c></row></sheetData>'
    parts: dict[str, str | bytes] = {
        "xl/worksheets/_rels/sheet1.xml.rels": related(("drawing", "../drawings/d.xml")),
        "xl/drawings/d.xml": drawing,
        "xl/drawings/_rels/d.xml.rels": related(("image", "../media/i.png")),
        "xl/media/i.png": picture(),
    }

    document = Ocr().read(with_parts(xlsx({"Sum": cells}), parts))

    assert document.text == "## Sum\n\nTotal\n\nDue on 3 May"
    assert [b.place for b in document.blocks if b.kind == "image"] == ["Sum!C5"]


IMAGE = '<draw:image xlink:href="{name}"/>'


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        (
            "text",
            "<text:p>Before<draw:frame>{image}</draw:frame></text:p><text:p>After</text:p>",
            "Before\n\nDue on 3 May\n\nAfter",
        ),
        (
            "presentation",
            '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Plan'
            "</text:p></draw:text-box></draw:frame><draw:frame>{image}</draw:frame></draw:page>",
            "## Plan\n\nDue on 3 May",
        ),
        (
            "spreadsheet",
            '<table:table table:name="Sum"><table:shapes><draw:frame>{image}</draw:frame>'
            "</table:shapes></table:table>",
            "## Sum\n\nDue on 3 May",
        ),
    ],
)
def test_a_picture_in_an_open_document_is_read_once_in_the_format_that_can_be(
    kind: str, body: str, text: str
) -> None:
    formats = ("Pictures/a.svg", "Pictures/a.png", "Pictures/b.png")
    image = "".join(IMAGE.format(name=name) for name in formats)
    pictures = {"Pictures/a.svg": b"<svg/>"} | dict.fromkeys(formats[1:], picture())

    document = Ocr().read(odf(kind, body.format(image=image), **pictures))

    assert document.text == text


def test_plates_of_a_book_are_read_below_their_chapter() -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        '<item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="b" href="text/b.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    container = '<container><rootfiles><rootfile full-path="in/p.opf"/></rootfiles></container>'
    plate = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><body><svg xmlns="http://www.w3.org/2000/svg" '
        'xmlns:x="http://www.w3.org/1999/xlink"><image x:href="../a%20b.png"/></svg></body></html>'
    )
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "in/p.opf": package,
        "in/text/a.xhtml": plate,
        "in/text/b.xhtml": '<html><body><h1>One</h1><img src="../a%20b.png"/></body></html>',
        "in/a b.png": picture(),
    }
    ocr = Ocr()

    document = ocr.read(zipped(members))

    assert document.text == "Due on 3 May\n\n# One"
    assert ocr.asked == 1
