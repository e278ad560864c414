"""A claim is supported when nothing in it goes beyond its quotations."""

import pytest

from rag.domain import Block, BlockKind, DocumentId, Evidence, Quotation, Version
from rag.grounding.matching import Found, Passages
from rag.grounding.support import Proof, Vocabulary, objections


def objected(
    claim: str,
    *quotes: str,
    kind: BlockKind = "text",
    title: str = "Report",
    headings: tuple[str, ...] = (),
    elsewhere: str = "",
) -> tuple[str, ...]:
    evidence = [
        Evidence(
            label=label,
            document_id=DocumentId(f"doc_{label}"),
            version=Version("sha256:00"),
            key="a.md",
            title=title,
            text=text,
            block=Block(kind, 0, len(text)),
            heading_path=headings,
        )
        for label, text in enumerate((*quotes, elsewhere), start=1)
    ]
    outcomes = [
        Passages(evidence).find(Quotation(label, quote))
        for label, quote in enumerate(quotes, start=1)
    ]
    found = [outcome for outcome in outcomes if isinstance(outcome, Found)]
    assert len(found) == len(quotes)
    return objections(claim, Proof(found), Vocabulary(evidence))


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("Sales were 1234.5 dollars.", "Total sales were $1,234.50 that day."),
        ("Sales were 1.234,5.", "Total sales were 1,234.5 that day."),
        ("Half of 3 is it.", "It is half of three of them."),
        ("They grew by 5 percent.", "They grew by 5% over the year."),
        ("They grew by 5%.", "They grew by 5 to 10 percent over the year."),
        ("It cost €5,200,000.", "It cost 5.2 million euros to build."),
        ("It opened on 2021-03-03.", "It opened on March 3, 2021, in the rain."),
        ("It opened in March 2021.", "It opened on 3 March 2021, in the rain."),
        ("It opened in 2021.", "It opened on 3 March 2021, in the rain."),
        ("It opened in March.", "It opened on 2021-03-03, in the rain."),
        ("Less than 5 mg is safe.", "A dose of <5 mg is safe for all."),
        ("The WHO says so.", "The World Health Organization says so today."),
        ("Angela Merkel's party won.", "The party of Angela Merkel won that year."),
        ("Khloe won it.", "It was won by Khloé in that year."),
        ("It isn't safe for children.", "It is not safe for children under twelve."),
        ("However, it is safe for them.", "It is safe for them and for all."),
        ("Berlin hat 3,8 Millionen Einwohner.", "Berlin hat 3.800.000 Einwohner im Jahr."),
        ("東京の人口は1400万人です。", "東京都の人口は1400万人であり、日本一です。"),
    ],
)
def test_another_notation_is_no_objection(claim: str, quote: str) -> None:
    assert objected(claim, quote) == ()


@pytest.mark.parametrize(
    ("claim", "quote", "objection"),
    [
        ("They grew by 6%.", "They grew by 5% over the year.", "number 6"),
        ("They grew by 5‰.", "They grew by 5% over the year.", "number 5"),
        ("They grew by -5%.", "They grew by 5% over the year.", "number 5"),
        ("They took 5 kg.", "They took 5 mg of it a day.", "number 5"),
        ("They took 5 weeks.", "They took 5 days for all of it.", "number 5"),
        ("It cost 5 billion.", "It cost 5 million euros to build.", "number 5"),
        ("It cost $5.", "It cost €5 to get in there.", "number 5"),
        ("The dose is 5 mg.", "A dose of <5 mg is safe for all.", "number 5"),
        ("Four of them won.", "Three of them won the game.", "number Four"),
        ("The third of them won.", "The fourth of them won the game.", "number third"),
        ("It opened on 4 March 2021.", "It opened on March 3, 2021, in the rain.", "date 4 March"),
        ("It opened in May 2021.", "It opened on March 3, 2021, in the rain.", "date May 2021"),
        ("It opened in 2022.", "It opened on March 3, 2021, in the rain.", "number 2022"),
        ("Google rose by 5%.", "Apple rose by 5% over the year.", "name Google"),
        ("Shares of Google rose.", "Shares of Apple rose over the year.", "name Google"),
        ("The WTO says so.", "The World Health Organization says so today.", "name WTO"),
        ("Use read_file for it.", "Use read_text for it, as always.", "name read_file"),
        ("It is COVID-20.", "It is COVID-19 that they had.", "name COVID-20"),
        ("It is safe for children.", "It is not safe for children under twelve.", "negation"),
        ("It is never safe for children.", "It is safe for children over twelve.", "negation"),
    ],
)
def test_what_goes_beyond_the_quotation_is_named(claim: str, quote: str, objection: str) -> None:
    assert [o for o in objected(claim, quote) if objection in o]


def test_a_negation_cut_off_in_front_still_counts() -> None:
    text = "There is no evidence that vaccines cause the disease in children."
    evidence = [
        Evidence(
            label=1,
            document_id=DocumentId("doc_1"),
            version=Version("sha256:00"),
            key="a.md",
            title="A",
            text=text,
            block=Block("text", 0, len(text)),
        )
    ]
    quote = "vaccines cause the disease in children."
    found = Passages(evidence).find(Quotation(1, quote))

    assert isinstance(found, Found)
    assert objections(quote, Proof([found]), Vocabulary(evidence))
    assert not objections(text, Proof([found]), Vocabulary(evidence))


def test_title_and_headings_support_a_claim_too() -> None:
    quote = "Net sales rose by 5% over the year."

    assert objected("Apple's net sales rose by 5% in 2018.", quote)
    assert not objected(
        "Apple's net sales rose by 5% in 2018.", quote, title="Apple 10-K", headings=("Year 2018",)
    )


def test_a_table_lends_its_head_to_its_rows() -> None:
    table = "| $ millions | 2019 | 2018 |\n|---|---|---|\n| Sales | 5 | 4 |"

    assert not objected("Sales were 5 in 2019.", table, kind="table")
    assert objected("Sales were 5 in 2017.", table, kind="table")


def test_numbers_under_a_heading_in_millions_are_millions() -> None:
    quote = "Sales of the whole group: 5.2"

    assert not objected("Sales were $5.2 million.", quote, headings=("Accounts (in $ millions)",))
    assert objected("Sales were $5.2 billion.", quote, headings=("Accounts (in $ millions)",))


def test_the_first_word_of_a_sentence_is_a_name_unless_the_sources_use_it_as_a_word() -> None:
    quote = "The income of the firm rose by 5%."

    assert objected("Revenue rose by 5%.", quote)
    assert not objected("Revenue rose by 5%.", quote, elsewhere="The revenue is what comes in.")


def test_german_nouns_are_names_only_where_the_sources_have_them() -> None:
    quote = "Das Einkommen der Firma ist um 5% gestiegen."

    assert not objected("Der Umsatz der Firma ist um 5% gestiegen.", quote)
    assert objected("Der Umsatz von Siemens ist gestiegen.", quote, elsewhere="Siemens wuchs.")
