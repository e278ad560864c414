"""Tables that are drawn in parts are read whole."""

from collections.abc import Sequence

from tiny_pdf import Fill, Rule, Text, grid, paragraph, pdf

from rag.domain import Source
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.parser import parse

ABOVE = paragraph(60, 100, "The table below shows how much was sold in each of the two years.")


def table(items: Sequence[Text | Rule | Fill]) -> list[str]:
    content = pdf([*ABOVE, *items])
    source = Source("a.pdf", content)
    text = parse(source, "application/pdf", DEFAULT_LIMITS, lambda bitmaps: []).text
    return [line for line in text.splitlines() if line.startswith("|") and "---" not in line]


def lines(xs: Sequence[float], y: float, *rows: Sequence[str]) -> list[Text]:
    return [
        Text(x, y + 14 * i, text)
        for i, row in enumerate(rows)
        for x, text in zip(xs, row, strict=True)
        if text
    ]


BODY = (("Apples", "1,200", "1,350"), ("Pears", "800", "760"), ("Plums", "95", "110"))


def test_headings_above_a_ruled_table_head_its_columns() -> None:
    heads = [Text(200, 190, "2023 sales"), Text(300, 190, "2024 sales")]
    body = lines((70, 200, 300), 210, *BODY)

    first, second, *_ = table([*heads, *grid((60, 180, 280, 400), (198, 212, 226, 240)), *body])

    assert first == "|  | 2023 sales | 2024 sales |"
    assert second == "| Apples | 1,200 | 1,350 |"


def test_a_heading_over_several_columns_stands_over_the_first_of_them() -> None:
    heads = [Text(250, 176, "Sales"), Text(200, 190, "2023"), Text(300, 190, "2024")]
    body = lines((70, 200, 300), 210, *BODY)

    first, second, *_ = table([*heads, *grid((60, 180, 280, 400), (198, 212, 226, 240)), *body])

    assert first == "|  | Sales |  |"
    assert second == "|  | 2023 | 2024 |"


def test_columns_of_numbers_that_are_drawn_later_belong_to_their_rows() -> None:
    labels = lines((70, 200), 210, *(row[:2] for row in BODY))
    numbers = lines((300,), 210, *(row[2:] for row in BODY))

    rows = table([*labels, *numbers])

    assert rows == [f"| {' | '.join(row)} |" for row in BODY]


def test_prose_beside_prose_is_no_table() -> None:
    left = paragraph(60, 200, "Sellers keep to the left side of the page " * 4)
    right = paragraph(320, 200, "Buyers keep to the right side of the page " * 4)

    assert table([*left, *right]) == []


def test_a_sum_below_a_rule_is_a_row_of_the_table() -> None:
    body = lines((70, 200, 300), 210, *BODY)
    total = lines((70, 200, 300), 254, ("Total", "2,095", "2,220"))

    rows = table([*grid((60, 180, 280, 400), (198, 212, 226, 240)), *body, *total])

    assert rows[-1] == "| Total | 2,095 | 2,220 |"


def test_the_sign_of_a_currency_is_in_the_cell_of_its_amount() -> None:
    rows = table(
        lines(
            (70, 200, 215, 300, 315),
            210,
            ("Apples", "$", "1,200", "$", "1,350"),
            ("Pears", "", "800", "", "760"),
            ("Plums", "", "95", "", "110"),
        )
    )

    assert rows == [
        "| Apples | $ 1,200 | $ 1,350 |",
        "| Pears | 800 | 760 |",
        "| Plums | 95 | 110 |",
    ]
