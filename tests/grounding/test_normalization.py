"""A faithful copy has its source's normal form, and every character leads back to the source."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rag.grounding.normalization import BORDER, Notation, normalize


@pytest.mark.parametrize(
    ("printed", "normal"),
    [
        ("Net  sales\n rose", "Net sales rose"),
        ("infor-\nmation", "information"),  # a hyphen at a line end
        ("infor\u00ad\nmation, co\u00adop", "information, coop"),  # soft hyphens
        ("COVID-\n19 and 2010–\n2015", "COVID-19 and 2010-2015"),  # beside digits it is kept
        ("“the ﬁrst oﬃce”", '"the first office"'),
        ("``the office''", '"the office"'),  # as TeX has them
        ("the firm’s – or − a", "the firm's - or - a"),
        ("zero\u200bwidth \u2066and\u2069 \ufeffmarks", "zerowidth and marks"),
        ("e\u0301te\u0301", "été"),
        ("**Net** _sales_ and `code` ***both***", "Net sales and code both"),
        ("**W**orld **H**ealth", "World Health"),
        ("## Sales\n\n- one\n- two\n> three", "Sales one two three"),
        ("see [the list](http://a.example/x_(y)) ![a map](m.png)", "see the list a map"),
        (r"5 \* 3 \_x", "5 * 3 _x"),
        ("東\n京 都", "東京都"),
        ("word , word ( so ) .", "word, word ( so)."),
        ("ﻻ ﺍﻟﻌﺮﺑﻴﺔ", "لا العربية"),  # Arabic letters as a PDF draws them
    ],
)
def test_marks_of_the_page_and_of_markup_are_evened_out(printed: str, normal: str) -> None:
    assert normalize(printed).text == normal


@pytest.mark.parametrize(
    "text",
    [
        "10² and H₂O and ½ and ①",  # NFKC would make 102, H2O, 1⁄2 and 1 of them
        "２０１９",  # full-width digits
        "2**3 is 8, a*b*c, 2 * 3 * 4",  # products
        "call __init__ and snake_case_name",
        "5 < 6 > 4, ±3, -2, +1",
        "x\u2062y",  # an invisible times
        "10:30, 1.5, 1,234",
        "5 .5 mg",
    ],
)
def test_digits_signs_and_names_of_code_stand_as_they_are(text: str) -> None:
    assert normalize(text).text == text


def test_a_bullet_before_a_number_is_neither_lost_nor_a_sign() -> None:
    assert normalize("- 5 apples\n- pears").text == "• 5 apples pears"
    assert normalize("values\n> 5 mg").text == "values > 5 mg"


def test_a_pipe_of_a_table_is_a_border_and_its_rule_is_nothing() -> None:
    table = "| Item | **2019** |\n|:---|---:|\n| Net  sales | 5 |\n| | a \\| b |"

    assert normalize(table, "table").text == (
        f"Item{BORDER}2019\nNet sales{BORDER}5\n{BORDER}a | b"
    )


def test_code_keeps_all_its_marks_but_not_its_indentation() -> None:
    assert normalize("def f(x):\n    return x**2  # `a`-\nb", "code").text == (
        "def f(x): return x**2 # `a`- b"
    )


def test_every_character_knows_where_it_came_from() -> None:
    source = "a **ﬁne** infor-\nmation"
    normal = normalize(source)

    assert normal.text == "a fine information"
    assert source[slice(*normal.span(2, 6))] == "ﬁne"
    assert source[slice(*normal.span(3, 4))] == "ﬁ"  # half a ligature is all of it
    assert source[slice(*normal.span(7, 18))] == "infor-\nmation"
    assert source[slice(*normal.span(0, 18))] == source


MESSY = st.text(alphabet=" \n-*_`#|[]()\\\u00ad\u200b’“ﬁé\u0301a1.東京", max_size=60)


@settings(deadline=None)
@given(text=MESSY, notation=st.sampled_from(["prose", "table", "code"]))
def test_spans_are_in_order_and_inside_the_source(text: str, notation: Notation) -> None:
    normal = normalize(text, notation)
    spans = [normal.span(at, at + 1) for at in range(len(normal.text))]

    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


@settings(deadline=None)
@given(text=MESSY, notation=st.sampled_from(["prose", "table", "code"]))
def test_digits_are_never_gained_lost_or_moved(text: str, notation: Notation) -> None:
    def digits(text: str) -> str:
        return "".join(filter(str.isdigit, text))

    assume("](" not in text)  # an address is not read

    assert digits(normalize(text, notation).text) == digits(text)


@pytest.mark.parametrize("notation", ["prose", "table", "code"])
@pytest.mark.parametrize(
    "piece", ["*a ", "[", "_a", "_a ", "`", "`a ", "-\n", "| ", "\\", " \n", "a-\n"]
)
def test_hostile_text_costs_no_more_than_any(piece: str, notation: Notation) -> None:
    before = time.process_time()
    normalize(piece * 5_000, notation)

    # a tenth of it where this was written; the same with a pattern that backtracks took minutes
    assert time.process_time() - before < 10
