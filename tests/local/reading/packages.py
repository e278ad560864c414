"""Small Office files, written for a test from what matters in them."""

import io
import zipfile
from collections.abc import Mapping, Sequence

from rag.domain import Document, Source
from rag.local.reading.frames import Bitmap, Failed
from rag.local.reading.limits import DEFAULT_LIMITS, Limits
from rag.local.reading.media import sniff
from rag.local.reading.parser import parse

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"


def read(content: bytes, name: str = "file", limits: Limits = DEFAULT_LIMITS) -> Document:
    """In this process, without OCR."""
    source = Source(key=name, content=content)
    document = parse(source, sniff(content, None, name), limits, without_ocr)
    assert all(document.text[b.start : b.end].strip() for b in document.blocks)
    return document


def without_ocr(bitmaps: Sequence[Bitmap]) -> list[Failed]:
    return [Failed("not_tried", "no OCR here")] * len(bitmaps)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def related(*relations: tuple[str, str]) -> str:
    """Kind and target; ids are rId1, rId2 ..."""
    lines = (
        f'<Relationship Id="rId{i}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(relations, start=1)
    )
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{''.join(lines)}</Relationships>"
    )


def office(main: str, parts: Mapping[str, str]) -> bytes:
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    package = {"[Content_Types].xml": types, "_rels/.rels": related(("officeDocument", main))}
    return zipped(package | parts)


def docx(body: str, *, before: str = "", **parts: str) -> bytes:
    """`parts` are further parts by kind: styles, numbering, footnotes; `before` stands before the
    document's own element."""
    root = f'xmlns:w="{WORD}" xmlns:r="{OFFICE}"'
    return office(
        "word/document.xml",
        {
            "word/document.xml": f"{before}<w:document {root}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": related(*((kind, f"{kind}.xml") for kind in parts)),
        }
        | {
            f"word/{kind}.xml": f"<w:{kind} {root}>{content}</w:{kind}>"
            for kind, content in parts.items()
        },
    )


def paragraph(text: str, properties: str = "", run: str = "") -> str:
    return (
        f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr>"
        f'<w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
    )


def pptx(*slides: str, **parts: str) -> bytes:
    """Each slide as the shapes of its tree."""
    ids = "".join(f'<p:sldId id="{255 + i}" r:id="rId{i}"/>' for i in range(1, len(slides) + 1))
    root = f'xmlns:p="{SLIDES}" xmlns:a="{DRAWING}" xmlns:r="{OFFICE}"'
    package = {
        "ppt/presentation.xml": f"<p:presentation {root}><p:sldIdLst>{ids}</p:sldIdLst>"
        '<p:sldSz cx="1000000" cy="1000000"/></p:presentation>',
        "ppt/_rels/presentation.xml.rels": related(
            *(("slide", f"slides/slide{i}.xml") for i in range(1, len(slides) + 1))
        ),
    }
    for i, shapes in enumerate(slides, start=1):
        hidden = 'show="0"' if shapes.startswith("hidden") else ""
        package[f"ppt/slides/slide{i}.xml"] = (
            f"<p:sld {root} {hidden}><p:cSld><p:spTree>{shapes.removeprefix('hidden')}"
            "</p:spTree></p:cSld></p:sld>"
        )
    return office("ppt/presentation.xml", package | parts)


def shape(text: str, role: str | None = None, at: tuple[int, int] | None = None) -> str:
    """Lines of `text` are paragraphs; `at` is left and top."""
    placeholder = "" if role is None else f'<p:ph type="{role}"/>'
    place = "" if at is None else f'<a:xfrm><a:off x="{at[0]}" y="{at[1]}"/></a:xfrm>'
    lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name=""/><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr>'
        f"<p:spPr>{place}</p:spPr><p:txBody>{lines}</p:txBody></p:sp>"
    )


def xlsx(sheets: Mapping[str, str], *, styles: str = "", strings: Sequence[str] = ()) -> bytes:
    """Each sheet as its `cols` and `sheetData`; a name that begins with `~` is hidden."""
    listed = "".join(
        f'<sheet name="{name.lstrip("~")}" r:id="rId{i}"'
        f"{' state=' + repr('hidden') if name.startswith('~') else ''}/>"
        for i, name in enumerate(sheets, start=1)
    )
    relations = [("worksheet", f"worksheets/sheet{i}.xml") for i in range(1, len(sheets) + 1)]
    others = [("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")]
    items = "".join(f"<si><t>{text}</t></si>" for text in strings)
    return office(
        "xl/workbook.xml",
        {
            "xl/workbook.xml": f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}">'
            f"<sheets>{listed}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": related(*relations, *others),
            "xl/styles.xml": f'<styleSheet xmlns="{SHEETS}">{styles}</styleSheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{SHEETS}">{items}</sst>',
        }
        | {
            f"xl/worksheets/sheet{i}.xml": f'<worksheet xmlns="{SHEETS}">{content}</worksheet>'
            for i, content in enumerate(sheets.values(), start=1)
        },
    )


def row(*values: str | float, number: int = 0, properties: str = "") -> str:
    """Numbers as such, strings inline; None leaves a cell out."""
    cells = (
        f"<c><v>{value}</v></c>"
        if isinstance(value, int | float)
        else f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        for value in values
    )
    place = f'r="{number}"' if number else ""
    return f"<row {place} {properties}>{''.join(cells)}</row>"
