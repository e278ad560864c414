"""A presentation is its slides, in order, as an audience sees them."""

from packages import OFFICE, pptx, read, related, shape

TABLE = (
    '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="1" name=""/></p:nvGraphicFramePr>'
    "<a:graphic><a:graphicData><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>A</a:t></a:r></a:p>"
    "</a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>B</a:t></a:r></a:p></a:txBody></a:tc></a:tr>"
    "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
)


def test_a_slide_is_a_page_with_its_title_first_and_shapes_from_the_top() -> None:
    shapes = shape("low", at=(0, 900_000)) + shape("high", at=(0, 0)) + shape("Title", "title")

    document = read(pptx(shapes, shape("Second", "ctrTitle")))

    assert document.text == "## Title\n\nhigh\n\nlow\n\n## Second"
    assert [(p.number, p.name) for p in document.pages] == [(1, "Title"), (2, "Second")]
    assert [b.page for b in document.blocks] == [1, 1, 1, 2]
    assert document.text[slice(document.pages[1].start, document.pages[1].end)] == "## Second"


def test_bullets_are_a_list_and_tables_are_tables() -> None:
    document = read(pptx(shape("one\ntwo", "body") + TABLE))

    assert document.text == "- one\n- two\n\n| A | B |\n| --- | --- |"


def test_a_hidden_slide_is_left_out_and_the_others_keep_their_numbers() -> None:
    document = read(pptx("hidden" + shape("SECRET"), shape("seen")))

    assert document.text == "seen"
    assert [(p.number, p.reason) for p in document.pages] == [
        (1, "a hidden slide is left out"),
        (2, "a slide's own text"),
    ]


def test_shapes_off_the_slide_hidden_ones_and_furniture_are_left_out() -> None:
    off = shape("SECRET", at=(2_000_000, 0))
    hidden = shape("SECRET").replace('name=""', 'name="" hidden="1"')

    assert read(pptx(shape("seen") + off + hidden + shape("7", "sldNum"))).text == "seen"


def test_speakers_notes_and_charts_belong_to_their_slide() -> None:
    chart = "http://schemas.openxmlformats.org/drawingml/2006/chart"
    frame = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="1" name=""/></p:nvGraphicFramePr>'
        f'<c:chart xmlns:c="{chart}" r:id="rId2"/></p:graphicFrame>'
    )

    def values(part: str, *points: str) -> str:
        listed = (f'<c:pt idx="{i}"><c:v>{v}</c:v></c:pt>' for i, v in enumerate(points))
        return f"<c:{part}>{''.join(listed)}</c:{part}>"

    series = values("tx", "Sales") + values("cat", "Q1", "Q2") + values("val", "10", "20")
    parts = {
        "ppt/slides/_rels/slide1.xml.rels": related(
            ("notesSlide", "../notesSlides/n.xml"), ("chart", "../charts/c.xml")
        ),
        "ppt/notesSlides/n.xml": pptx_notes(shape("say this", "body")),
        "ppt/charts/c.xml": f'<c:chartSpace xmlns:c="{chart}"><c:ser>{series}</c:ser>'
        "</c:chartSpace>",
    }

    assert read(pptx(frame, **parts)).text == (
        "|  | Sales |\n| --- | --- |\n| Q1 | 10 |\n| Q2 | 20 |\n\nNotes: say this"
    )


def pptx_notes(shapes: str) -> str:
    slides = "http://schemas.openxmlformats.org/presentationml/2006/main"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    root = f'xmlns:p="{slides}" xmlns:a="{drawing}" xmlns:r="{OFFICE}"'
    return f"<p:notes {root}>{shapes}</p:notes>"
