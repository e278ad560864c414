"""A quotation is believed where its characters stand in the source, and nowhere else."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rag.domain import Block, BlockKind, DocumentId, Evidence, Quotation, Version
from rag.grounding.matching import CUT, NOT_FOUND, TOO_SHORT, Found, Passages, Rejected


def block(
    label: int,
    text: str,
    *,
    start: int = 0,
    kind: BlockKind = "text",
    document: str = "doc_1",
    confidence: float | None = None,
) -> Evidence:
    return Evidence(
        label=label,
        document_id=DocumentId(document),
        version=Version("sha256:00"),
        key="a.md",
        title="A",
        text=text,
        block=Block(kind, start, start + len(text), confidence=confidence),
    )


def found(quote: str, *evidence: Evidence, cited: int = 1) -> tuple[str, list[str]]:
    outcome = Passages(evidence).find(Quotation(cited, quote))
    assert isinstance(outcome, Found), outcome
    return outcome.verified, [part.text for part in outcome.parts]


def rejected(quote: str, *evidence: Evidence, cited: int = 1) -> Rejected:
    outcome = Passages(evidence).find(Quotation(cited, quote))
    assert isinstance(outcome, Rejected), outcome
    return outcome


SALES = block(
    1, "Net **sales** did not rise in 2019; they fell by -5% to $1.50 million (see p. 3)."
)
COSTS = block(
    2, "Costs stood at 10² euros, as the ﬁrst quar-\nter of a well-\nknown year had shown."
)


# --- the ladder ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quote", "source"),
    [
        ("Net sales did not rise in 2019", "Net **sales** did not rise in 2019"),
        ("net sales did not rise in 2019", "Net **sales** did not rise in 2019"),
        ("“Net sales did not rise in 2019.”", "Net **sales** did not rise in 2019"),
        ("Net sales** did not rise in 2019", "Net **sales** did not rise in 2019"),
        ("...did not rise in 2019; they fell", "did not rise in 2019; they fell"),
        ("they fell by −5% to $1.50 million", "they fell by -5% to $1.50 million"),
    ],
)
def test_the_quotation_returned_is_the_sources_own(quote: str, source: str) -> None:
    assert found(quote, SALES) == ("exact", [source])


def test_words_broken_at_line_ends_are_whole_and_compounds_keep_their_hyphen() -> None:
    source = "as the ﬁrst quar-\nter of a well-\nknown year"

    assert found("as the first quarter of a well-known year", COSTS, cited=2)[1] == [source]
    assert found("first quar- ter of a well- known", COSTS, cited=2)[0] == "exact"
    assert rejected("as the first quar-ter of a well known year", COSTS) is NOT_FOUND


def test_a_quotation_may_run_over_into_the_next_block_as_two_citations() -> None:
    first = block(1, "The rate that holds for", start=0)
    second = block(2, "all members is 5%.", start=25)

    assert found("rate that holds for all members", first, second) == (
        "exact",
        ["rate that holds for", "all members"],
    )
    assert found("rate that holds for all members", first, second, cited=2)[0] == "exact"


@pytest.mark.parametrize(
    "second",
    [
        block(2, "all members is 5%.", start=60),  # something stands between them
        block(2, "all members is 5%.", start=25, document="doc_2"),
        block(2, "all members is 5%.", start=25, kind="code"),
    ],
)
def test_blocks_that_do_not_touch_are_not_read_as_one(second: Evidence) -> None:
    first = block(1, "The rate that holds for", start=0)

    assert rejected("rate that holds for all members", first, second) is NOT_FOUND


def test_a_quotation_from_another_block_than_cited_is_relocated() -> None:
    assert found("Net sales did not rise in 2019", SALES, COSTS, cited=2)[0] == "relocated"
    assert found("Net sales did not rise in 2019", SALES, cited=99)[0] == "relocated"


def test_of_several_places_the_first_of_the_cited_block_is_meant() -> None:
    here = block(2, "x. The rate is five. The rate is five.", start=100)
    outcome = Passages([block(1, "The rate is five."), here]).find(
        Quotation(2, "The rate is five.")
    )

    assert isinstance(outcome, Found)
    assert [(part.evidence.label, part.start) for part in outcome.parts] == [(2, 3)]


MISREAD = "The rnodern vvay of buiIding w0rks is in decline."


def test_letters_are_forgiven_only_where_the_reader_was_unsure() -> None:
    quote = "The modern way of building works"

    assert found(quote, block(1, MISREAD, confidence=0.7)) == (
        "near",
        ["The rnodern vvay of buiIding w0rks"],
    )
    assert rejected(quote, block(1, MISREAD, confidence=0.95)) is NOT_FOUND
    assert rejected(quote, block(1, MISREAD)) is NOT_FOUND


@pytest.mark.parametrize(
    ("source", "quote"),
    [
        ("There was an increase of the rate.", "There was a decrease of the rate."),
        ("There was an increase of the rate.", "There was an decrease of the rate."),
        ("It costs 200 mg of the best.", "It costs 2OO mg of the best."),
        ("It costs 100 mg of the best.", "It costs l00 mg of the best."),
        ("It costs 100 mg of the best.", "It costs 700 mg of the best."),
        ("It is an old form of it.", "It is an o1d form of it."),
    ],
)
def test_nothing_but_letters_that_look_alike_is_near(source: str, quote: str) -> None:
    assert rejected(quote, block(1, source, confidence=0.3)) is NOT_FOUND


# --- what is not a quotation ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "quote",
    [
        "Costs stood at 102 euros",  # 10² is not 102
        "Costs stood at 10 euros",
        "costs stood AT 10² EUROS",
        "Costs stood ... as the first quarter",  # an ellipsis can hide a negation
        "Costs stood at 10² euros, as shown",
        "",
        " … ",
        "\x1f|",
    ],
)
def test_what_does_not_stand_there_is_rejected(quote: str) -> None:
    assert rejected(quote, SALES, COSTS) is NOT_FOUND


@pytest.mark.parametrize(
    "quote",
    [
        "rise in 2019; they fell by -5",  # of -5%
        "5% to $1.50 million (see p.",  # of -5%
        "1.50 million (see p. 3)",  # of $1.50
        "they fell by -5% to $1.5",  # of $1.50
        "they fell by -5% to $1.50",  # million
        "ales did not rise in 2019",
        "rise in 2019; they fell by",  # not rise
    ],
)
def test_a_cut_through_a_word_a_number_or_a_negation_is_rejected(quote: str) -> None:
    assert rejected(quote, SALES) is CUT


@pytest.mark.parametrize("quote", ["sales", "in 2019", "see p. 3"])
def test_a_few_words_prove_nothing(quote: str) -> None:
    assert rejected(quote, SALES) is TOO_SHORT


def test_a_whole_line_is_enough_however_short() -> None:
    assert found("Total", block(1, "- Rent\n- **Total**\n- Tax", kind="list")) == (
        "exact",
        ["Total"],
    )


# --- tables, code, scripts -----------------------------------------------------------------------

TABLE = block(
    1,
    "| Item | 2019 | 2018 |\n|---|---|---|\n| Net sales | 1,234 | 12 |\n| Loss | (5) | -7 |",
    kind="table",
)


@pytest.mark.parametrize(
    ("quote", "source"),
    [
        ("1,234", "1,234"),
        ("(5)", "(5)"),
        ("Net sales | 1,234 | 12", "Net sales | 1,234 | 12"),
        ("| Net sales | 1,234 | 12 |", "Net sales | 1,234 | 12"),
        ("Net sales | 1,234", "Net sales | 1,234"),
        (
            "| Net sales | 1,234 | 12 |\n| Loss | (5) | -7 |",
            "Net sales | 1,234 | 12 |\n| Loss | (5) | -7",
        ),
    ],
)
def test_a_cell_or_a_row_of_a_table_is_a_quotation(quote: str, source: str) -> None:
    assert found(quote, TABLE) == ("exact", [source])


@pytest.mark.parametrize(
    "quote", ["Net sales 1,234 12", "sales 1,234", "1,23412", "5", "7", "234", "sales"]
)
def test_cells_are_never_glued_and_numbers_never_cut(quote: str) -> None:
    assert isinstance(rejected(quote, TABLE), Rejected)


def test_code_is_quoted_with_its_marks() -> None:
    code = block(1, "def area(r):\n    return r**2 * PI  # _not_ exact", kind="code")

    assert found("def area(r):\n  return r**2 * PI", code)[1] == [
        "def area(r):\n    return r**2 * PI"
    ]
    assert rejected("return r2 * PI  # not exact", code) is NOT_FOUND


@pytest.mark.parametrize(
    ("source", "quote"),
    [
        ("東京は日本の首\n都であり、人口が多い。", "東京は日本の首都であり"),
        ("เมืองหลวงของประเทศไทยคือกรุงเทพ", "เมืองหลวงของประเทศไทย"),
        ("עיר הבירה של ישראל היא ירושלים.", "הבירה של ישראל היא"),
        ("اللغة العربية لغة جميلة ومهمة.", "العربية لغة جميلة ومهمة"),
        ("ﺍﻟﻠﻐﺔ العربية لغة جميلة ومهمة.", "اللغة العربية لغة جميلة"),
        ("Die Groß\u00adstadt hat „viele“ Ein-\nwohner.", 'Die Großstadt hat "viele" Einwohner'),
    ],
)
def test_other_scripts_are_quoted_like_any(source: str, quote: str) -> None:
    assert found(quote, block(1, source))[0] == "exact"


def test_a_negation_in_front_is_not_cut_off_in_any_script() -> None:
    assert rejected("安全なものです", block(1, "これは不安全なものです。")) is CUT
    assert (
        rejected(
            "für Kinder unter zwölf geeignet", block(1, "Nicht für Kinder unter zwölf geeignet.")
        )
        is CUT
    )
    assert (
        rejected(
            "Das Mittel hilft allen Kindern", block(1, "Das Mittel hilft allen Kindern nicht.")
        )
        is CUT
    )


# --- promises ------------------------------------------------------------------------------------

WORDS = [
    *["sales", "rose", "by", "5%", "to", "$1,234.50", "in", "2019", "not", "without", "-3", "°C"],
    *["**bold**", "_so_", "the", "ofﬁce", "“quoted”", "well-known", "co-\nop", "10²", "(7)", "mg"],
    *["[link](http://a.example)", "`code`", "don’t", "été", "東京", "\n- item", "\n## Head\n"],
    *["a|b", "No.", "5"],
]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join)


@settings(deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), data=st.data())
def test_what_is_returned_is_always_a_slice_of_the_source(
    texts: Sequence[str], data: st.DataObject
) -> None:
    evidence = [block(label, text, start=100 * label) for label, text in enumerate(texts)]
    chosen = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(chosen)))
    quote = chosen[start : data.draw(st.integers(start, len(chosen)))]
    outcome = Passages(evidence).find(Quotation(data.draw(st.integers(0, 4)), quote))

    if isinstance(outcome, Found):
        for part in outcome.parts:
            assert part.text == part.evidence.text[part.start : part.end] != ""
            assert part.evidence in evidence


@settings(deadline=None)
@given(TEXTS)
def test_a_whole_block_is_always_found(text: str) -> None:
    assume(any(map(str.isalnum, text)))
    outcome = Passages([block(1, text)]).find(Quotation(1, text))

    assert isinstance(outcome, Found)
    assert outcome.verified == "exact"


PLAIN = ["sales", "rose", "by", "5%", "to", "$1,234.50", "in", "2019", "not", "-3", "°C", "mg", "7"]


@settings(deadline=None)
@given(
    words=st.lists(st.sampled_from(PLAIN), min_size=4, max_size=12),
    data=st.data(),
    confidence=st.sampled_from([None, 0.5]),
)
def test_no_change_of_a_digit_sign_unit_or_negation_is_ever_believed(
    words: list[str], data: st.DataObject, confidence: float | None
) -> None:
    source = " ".join(words)
    at = data.draw(st.integers(0, len(words) - 1))
    changed = data.draw(st.sampled_from(_changes(words[at])))
    quote = " ".join(filter(None, [*words[:at], *changed, *words[at + 1 :]]))
    assume(f" {quote} " not in f" {source} ")

    assert isinstance(
        Passages([block(1, source, confidence=confidence)]).find(Quotation(1, quote)), Rejected
    )


def _changes(word: str) -> list[list[str]]:
    """One word falsified in every way: a digit, a sign, a point, a unit, a negation."""
    digits = [
        [word[: match.start()] + other + word[match.end() :]]
        for match in re.finditer(r"\d", word)
        for other in ("8", "O", "l", "", match.group() * 2)
    ]
    signs = [[f"-{word}"], [f"+{word}"], [word.lstrip("-$") or "x"], [word.replace("-", "+")]]
    points = [[word.replace(".", ",")], [word.replace(",", "")], [word.rstrip("%")]]
    units = [[word.replace("$", "€")], [word.replace("%", "‰")], ["kg" if word == "mg" else "°F"]]
    negations = [["not", word], [] if word == "not" else ["never"]]
    return [change for change in [*digits, *signs, *points, *units, *negations] if change != [word]]
