"""Tables in HTML are written in markdown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunking.markdown import blocks
from rag.mistral.ocr.html_tables import with_markdown_tables


def test_a_table_becomes_rows_between_pipes_and_the_rest_stays() -> None:
    text = (
        "Before\n\n<TABLE border=1><thead><tr><th>Year</th><th>Cash &amp; debt</th></tr></thead>"
        "<tbody><tr><td>2024</td><td>5<br>6</td></tr></tbody></TABLE >\n\nAfter"
    )

    assert with_markdown_tables(text) == (
        "Before\n\n| Year | Cash & debt |\n| --- | --- |\n| 2024 | 5 6 |\n\nAfter"
    )


@pytest.mark.parametrize(
    ("html", "rows"),
    [
        # a cell over two columns keeps those after it in theirs
        (
            "<table><tr><td>a<td>b<td>c<tr><td colspan=2>d<td>e</table>",
            "| a | b | c |\n| --- | --- | --- |\n| d |  | e |",
        ),
        # short rows are filled up
        ("<table><tr><td>a<td>b<tr><td>c</table>", "| a | b |\n| --- | --- |\n| c |  |"),
        # a pipe in a cell is no border
        ("<table><tr><td>a|b</td></tr></table>", "| a\\|b |\n| --- |"),
        # rows without a word go
        ("<table><tr><td></td></tr><tr><td>a</td></tr></table>", "| a |\n| --- |"),
        # absurd spans do no harm
        ("<table><tr><td colspan='99999999999'>a</table>", "| a |\n| --- |"),
        ("<table><tr><td colspan='-1'>a</table>", "| a |\n| --- |"),
        # cells without a row
        ("<table><td>a</td></table>", "| a |\n| --- |"),
    ],
)
def test_cells_stand_where_they_should(html: str, rows: str) -> None:
    assert with_markdown_tables(html) == rows


@pytest.mark.parametrize("text", ["<table>", "<table></table>", "a < table", "<tablet></tablet>"])
def test_what_is_no_table_stays_as_it_is(text: str) -> None:
    assert with_markdown_tables(text) == text


cells = st.lists(
    st.lists(st.text("ab1 |&<", min_size=1, max_size=5), min_size=2, max_size=4),
    min_size=2,
    max_size=5,
)


@settings(max_examples=40)
@given(cells)
def test_every_table_is_one_block_of_markdown(rows: list[list[str]]) -> None:
    def told(cell: str) -> str:
        return "x" + cell.replace("&", "&amp;").replace("<", "&lt;")

    body = "".join("<tr>" + "".join(f"<td>{told(c)}</td>" for c in row) + "</tr>" for row in rows)

    text = with_markdown_tables(f"<table>{body}</table>")

    assert [block.kind for block in blocks(text)] == ["table"]
    assert len(text.splitlines()) == len(rows) + 1
