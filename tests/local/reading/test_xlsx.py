"""A workbook is its sheets, and every table knows its cells."""

import pytest
from packages import read, row, xlsx

from rag.errors import DocumentTooLarge
from rag.local.reading.sheets import column_name

STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="[Red]&quot;day&quot; dd/mm/yyyy"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="10"/><xf numFmtId="164"/>'
    '<xf numFmtId="22"/></cellXfs>'
)


def sheet(*rows: str) -> str:
    return f"<sheetData>{''.join(rows)}</sheetData>"


def test_tables_apart_are_blocks_apart_and_know_their_cells() -> None:
    data = sheet(row("Year", "Sum"), row(2020, 1.5), row("Note", number=5))

    document = read(xlsx({"First half": data}))

    assert document.text == (
        "## First half\n\n| Year | Sum |\n| --- | --- |\n| 2020 | 1.5 |\n\nNote"
    )
    assert [(b.kind, b.place, b.page) for b in document.blocks] == [
        ("title", None, 1),
        ("table", "'First half'!A1:B2", 1),
        ("text", "'First half'!A5", 1),
    ]
    assert [page.name for page in document.pages] == ["First half"]


def test_a_lone_cell_above_a_table_is_its_caption() -> None:
    document = read(xlsx({"S": sheet(row("Title"), row("a", "b"), row(1, 2))}))

    assert [(b.kind, b.place) for b in document.blocks[1:]] == [
        ("caption", "S!A1"),
        ("table", "S!A2:B3"),
    ]


def test_hidden_sheets_rows_and_columns_are_left_out_and_counted() -> None:
    columns = '<cols><col min="2" max="2" hidden="1"/></cols>'
    rows = row("a", "SECRET", "c") + row("SECRET", properties='hidden="1"') + row("d", 1, 2)
    document = read(xlsx({"S": columns + sheet(rows), "~T": sheet(row("SECRET"))}))

    assert "SECRET" not in document.text
    assert [page.reason for page in document.pages] == [
        "a sheet's own cells; 2 hidden rows or columns are left out",
        "a hidden sheet is left out",
    ]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('<c s="1"><v>45000</v></c>', "2023-03-15"),
        ('<c s="3"><v>45000</v></c>', "2023-03-15"),  # a format of its own
        ('<c s="4"><v>45000.5</v></c>', "2023-03-15 12:00:00"),
        ('<c s="2"><v>0.125</v></c>', "12.50%"),
        ("<c><v>0.30000000000000004</v></c>", "0.3"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="s"><v>1</v></c>', "second"),
        ('<c t="s"><v>99</v></c>', ""),  # no such string
        ('<c t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="str"><f>A1</f><v>made</v></c>', "made"),
    ],
)
def test_a_cell_reads_as_excel_shows_it(cell: str, shown: str) -> None:
    data = sheet(row("a", "b"), f"<row><c><v>1</v></c>{cell}</row>")

    document = read(xlsx({"S": data}, styles=STYLES, strings=["first", "second"]))

    assert document.text.splitlines()[-1] == f"| 1 | {shown} |"


def test_columns_are_named_as_in_excel() -> None:
    assert [column_name(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_a_small_file_that_says_the_same_too_often_is_refused() -> None:
    """A long string in the table of strings, and many cells that point to it."""
    cells = '<c t="s"><v>0</v></c>' * 100
    bomb = xlsx({"S": sheet(*[f"<row>{cells}</row>"] * 100)}, strings=["x" * 10_000])

    with pytest.raises(DocumentTooLarge, match="million characters"):
        read(bomb)
