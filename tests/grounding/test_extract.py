"""Which sentences answer, and when none does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rag.domain import Block, BlockKind, DocumentId, Draft, Evidence, Version
from rag.grounding.extract import compose, confidence
from rag.grounding.likeness import Likeness
from rag.grounding.pieces import (
    OF_ONE_DOCUMENT,
    SHORTLIST,
    shortlist,
    word_weights,
)

BRIDGE = "Tower Bridge is a bridge in London. It opened in 1894. Paint is renewed often."


def block(
    text: str,
    *,
    label: int = 1,
    score: float = 0.8,
    kind: BlockKind = "text",
    title: str = "",
    document: str = "doc",
) -> Evidence:
    return Evidence(
        label=label,
        document_id=DocumentId(document),
        version=Version("sha256:00"),
        key="key",
        title=title,
        text=text,
        block=Block(kind, 0, len(text)),
        score=score,
    )


def alike(*evidence: Evidence, question: str, **cosines: float) -> Draft:
    """The draft, where pieces that hold a named word have that cosine, and all others 0.1."""
    pieces = shortlist(question, evidence)
    found = tuple(
        max([c for word, c in cosines.items() if word in piece.sentence.text], default=0.1)
        for piece in pieces
    )
    return compose(question, pieces, Likeness(found, found))


# --- what is embedded ---------------------------------------------------------------------------


def test_rare_words_of_a_question_weigh_more_and_all_weigh_one() -> None:
    weights = word_weights(["boat", "mast"], [{"boat"}, {"boat"}, {"boat", "mast"}])

    assert weights["mast"] > weights["boat"]
    assert sum(weights.values()) == pytest.approx(1)


def test_the_shortlist_is_bounded_and_keeps_the_sentences_that_share_words() -> None:
    chatter = " ".join(f"Sentence number {n} says nothing." for n in range(50))

    alone = block(f"{chatter} {BRIDGE}")
    pieces = shortlist("When did the bridge open?", [alone])
    among_others = shortlist(
        "When did the bridge open?", [alone, block("Else.", label=2, document="b")]
    )

    assert len(pieces) == OF_ONE_DOCUMENT
    assert len(among_others) == SHORTLIST
    assert any("1894" in piece.sentence.text for piece in pieces)


def test_a_row_is_embedded_below_its_heading_and_a_sentence_alone() -> None:
    table = "| Day | Open |\n|---|---|\n| Saturday | 10:00 |"
    under = ("Visit us", "Opening hours")

    [row] = shortlist("When is it open?", [replace(block(table, kind="table"), heading_path=under)])
    [said] = shortlist("When is it open?", [replace(block("It is open."), heading_path=under)])

    assert row.in_context == "Opening hours: Day: Saturday; Open: 10:00"
    assert said.in_context == "It is open."


def test_contents_and_labels_that_repeat_their_heading_are_no_pieces() -> None:
    contents = block("Oysters on ropes.................................. 17")
    running_head = block("Oyster Farming", title="Oyster farming")

    assert shortlist("How are oysters farmed?", [contents, running_head]) == ()


def test_a_sentence_goes_before_a_scrap_of_layout() -> None:
    scrap = block("Oyster ropes, farmed, table 4", label=1, document="a")
    sentence = block("Oysters are farmed on ropes.", label=2, document="b")

    draft = alike(scrap, sentence, question="How are oysters farmed?")

    assert draft.claims[0].text == "Oysters are farmed on ropes."


# --- what is claimed ----------------------------------------------------------------------------


def test_the_sentence_that_holds_a_date_answers_when() -> None:
    text = "The bridge was opened by a prince. The bridge was opened in 1894."

    draft = alike(block(text), question="When was the bridge opened?", bridge=0.6)

    assert draft.claims[0].text.endswith("The bridge was opened in 1894.")


def test_a_sentence_that_leans_brings_the_one_before_it() -> None:
    draft = alike(block(BRIDGE), question="In what year was it unveiled?", opened=0.9)

    [claim] = draft.claims
    [quotation] = claim.evidence
    assert claim.text == "Tower Bridge is a bridge in London. It opened in 1894."
    assert quotation.quote == claim.text


def test_a_close_neighbor_is_quoted_with_it() -> None:
    text = "Oysters are farmed on ropes. Farmed oysters hang from rafts. Prices fell."

    draft = alike(block(text), question="How are oysters farmed?", ropes=0.7, rafts=0.6)

    assert draft.claims[0].text == "Oysters are farmed on ropes. Farmed oysters hang from rafts."


def test_what_is_said_already_is_not_said_again() -> None:
    evidence = [
        block("Oysters are farmed on ropes.", label=1, document="a"),
        block("Oysters are farmed on  ropes.", label=2, document="b"),
    ]

    draft = alike(*evidence, question="How are oysters farmed?", ropes=0.8)

    assert [claim.text for claim in draft.claims] == ["Oysters are farmed on ropes."]


def test_a_row_is_quoted_with_its_header() -> None:
    table = "| Year | Visitors |\n|---|---|\n| 2018 | 867,000 |\n| 2019 | 900,000 |"

    draft = alike(
        block(table, kind="table"), question="How many visitors came in 2019?", Visitors=0.5
    )

    claim = draft.claims[0]
    assert claim.text == "Year: 2019; Visitors: 900,000"
    assert [q.quote for q in claim.evidence] == ["| 2019 | 900,000 |", "| Year | Visitors |"]


def test_markup_stays_in_the_quotation_and_leaves_the_claim() -> None:
    text = "The **bridge** opened in [1894](http://example.org)."

    draft = alike(block(text), question="When did the bridge open?", bridge=0.8)

    [claim] = draft.claims
    assert claim.text == "The bridge opened in 1894."
    assert claim.evidence[0].quote == text


WORDS = st.sampled_from(
    ["It", "the", "bridge", "opened", "1894", "**London**", "|", "-", "\n", "\n\n", ".", "?", "a_b"]
)


@given(st.lists(st.lists(WORDS, max_size=40).map(" ".join), max_size=4), st.booleans())
def test_every_quotation_is_a_slice_of_the_block_it_names(texts: list[str], deaf: bool) -> None:
    evidence = [block(text, label=n, score=1 / n) for n, text in enumerate(texts, start=1)]
    question = "When was the bridge opened?"
    pieces = shortlist(question, evidence)
    cosines = tuple(piece.said for piece in pieces)

    draft = compose(question, pieces, None if deaf else Likeness(cosines, cosines))

    for claim in draft.claims:
        assert claim.evidence
        for quotation in claim.evidence:
            assert quotation.quote
            assert quotation.quote in texts[quotation.block - 1]


# --- whether it suffices ------------------------------------------------------------------------


def test_confidence_grows_with_the_closest_sentence_and_with_what_it_says_beyond_its_topic() -> (
    None
):
    question = "When did the bridge open?"
    pieces = shortlist(question, [block(BRIDGE)])

    def of(cosine: float, beyond: float) -> float:
        return confidence(question, pieces, Likeness((0.1, cosine, 0.1), (0.1, beyond, 0.1)))

    assert of(0.4, 0.4) < of(0.8, 0.4)
    assert of(0.4, 0.4) < of(0.4, 0.8)


def test_a_document_that_stands_out_speaks_for_an_answer() -> None:
    question = "When did the bridge open?"

    def of(other: float) -> float:
        evidence = [block(BRIDGE), block("Boats.", label=2, score=other, document="b")]
        pieces = shortlist(question, evidence)
        near = tuple(0.5 for _ in pieces)
        return confidence(question, pieces, Likeness(near, near))

    assert of(0.7) < of(0.2)


def test_what_its_heading_says_a_piece_says_too() -> None:
    question = "When is the next meeting?"
    said = block("Thursday, 9 April 2026, at 19:30 in the reading room.")
    under = replace(said, heading_path=("Minutes", "Next meeting"))

    alone, headed = (
        confidence(question, shortlist(question, [one]), Likeness((0.4,), (0.4,)))
        for one in (said, under)
    )

    assert alone < headed


def test_a_question_in_another_language_leans_on_words() -> None:
    text = "Die Brücke wurde im Jahr 1894 eröffnet. Sie wird oft gestrichen."
    question = "Wann wurde die Brücke eröffnet?"
    pieces = shortlist(question, [block(text)])

    assert confidence(question, pieces, Likeness((0.1, 0.1), (0.1, 0.1))) > 0
    assert (
        compose(question, pieces, Likeness((0.1, 0.3), (0.1, 0.3)))
        .claims[0]
        .text.startswith("Die Brücke")
    )


def test_a_name_that_nothing_found_mentions_speaks_against_an_answer() -> None:
    known = "When was the bridge in London opened?"
    unknown = "When was the bridge in Paris opened?"
    pieces = shortlist(known, [block(BRIDGE)])
    near = (0.5,) * len(pieces)
    likeness = Likeness(near, near)

    assert confidence(known, pieces, likeness) - confidence(unknown, pieces, likeness) >= 1


def test_evidence_about_something_else_does_not_suffice() -> None:
    draft = alike(block(BRIDGE), question="Which mushrooms are poisonous?")

    assert not draft.sufficient


def test_evidence_that_says_what_is_asked_suffices() -> None:
    draft = alike(block(BRIDGE), question="When did Tower Bridge open?", opened=0.7, Tower=0.7)

    assert draft.sufficient


def test_without_an_embedder_words_decide() -> None:
    answered = "Tower Bridge opened in 1894."
    question = "When did Tower Bridge open?"

    good = compose(question, shortlist(question, [block(answered)]), None)
    bad = compose(question, shortlist(question, [block("Oysters are farmed.")]), None)

    assert good.sufficient
    assert good.claims[0].text == answered
    assert not bad.sufficient


@pytest.mark.parametrize("question", ["", "?", "what is it"])
def test_a_question_that_asks_nothing_is_not_answered(question: str) -> None:
    draft = compose(question, shortlist(question, [block(BRIDGE)]), None)

    assert draft == Draft(sufficient=False, claims=())


def test_a_heading_is_quoted_with_what_stands_below_it() -> None:
    heading, below = "## How bridges open", "A motor lifts the leaves. It takes a minute."
    title = replace(block(heading, kind="title"), block=Block("title", 0, len(heading)))
    start = len(heading) + 2
    text = replace(block(below, label=2), block=Block("text", start, start + len(below)))

    draft = alike(title, text, question="How do bridges open?", bridges=0.8)

    assert draft.claims[0].text == "How bridges open: A motor lifts the leaves."
    assert [q.quote for q in draft.claims[0].evidence] == [heading, "A motor lifts the leaves."]


def test_a_title_that_only_repeats_the_documents_is_no_evidence() -> None:
    title = block("# Tower Bridge", kind="title", title="Tower Bridge")

    assert shortlist("What is Tower Bridge?", [title]) == ()


def test_a_list_is_quoted_whole_where_several_things_are_asked_for() -> None:
    items = "- the leaves\n- the towers\n- the engine room"
    question = "What are the parts of the bridge, such as towers?"

    draft = alike(block(items, kind="list"), question=question, towers=0.9)

    [claim] = draft.claims
    assert claim.text == "the leaves; the towers; the engine room"
    assert claim.evidence[0].quote == "the leaves\n- the towers\n- the engine room"


def test_a_sentence_that_ends_in_a_colon_brings_its_list() -> None:
    lead, items = "The bridge has three parts:", "- the leaves\n- the towers\n- the engines"
    start = len(lead) + 2
    below = replace(
        block(items, label=2, kind="list"), block=Block("list", start, start + len(items))
    )

    draft = alike(block(lead), below, question="How many parts has the bridge?", parts=0.9)

    assert draft.claims[0].text == "The bridge has three parts: the leaves; the towers; the engines"
    assert [quotation.block for quotation in draft.claims[0].evidence] == [1, 2]
