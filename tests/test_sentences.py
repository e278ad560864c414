"""Where sentences begin, in any script, in time that grows with the text alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import sentence_spans, sentence_starts


def pieces(text: str) -> list[str]:
    return [text[a:b].strip() for a, b in sentence_spans(text, 0, len(text))]


@pytest.mark.parametrize(
    "sentences",
    [
        ["One is here.", "Two is there!", "Is three?", "Four…"],
        ['He said "stop."', "Then he left."],
        ["Dr. Smith met Mr. J. R. Jones at 5 p.m. on Jan. 3.", "They spoke."],
        ["It costs 3.50 dollars, e.g. in Fig. 2 of Vol. 3, cf. Eq. 4.", "So it does."],
        ["See No. 5.", "He said no.", "Then he left."],
        ["Made by Acme Inc. in the U.S. Navy's yard.", "It floats."],
        ["It ended World War I.", "The treaty followed."],
        ["Version 2.0 runs on example.com.", "It is new."],
        ["Ducks dive.[12][13]", "They float.[14]"],
        ["They call it the “garden state.”¹⁸", "It is 10² wide.³"],
        ["spaced out .", "As some corpora are ."],
        ["wrapped over\ntwo lines.", "And\nanother."],
        ["1. First of all, this is one item.", "Second sentence."],
        ["Etwa 3 Mio. Euro.", "Das ist viel."],
        ["Das kostet z. B. 5 Euro bzw. mehr.", "Nr. 3 fehlt."],
        ["Es war am 3. Oktober, nach dem 2. Weltkrieg.", "Im Jahr 1990."],
        ["¿Quién vino?", "¡Nadie!", "La Sra. Gómez no."],
        ["これは文です。", "次の文です。", "本当？", "はい！"],
        ["他来了。", "她走了。"],
        ["यह एक वाक्य है।", "यह दूसरा है।"],
        ["هل هذا سؤال؟", "نعم.", "یہ اردو ہے۔"],
        ["Contents ....... 3 Boats . . . . 5 Kites"],
        ["no full stop at the end"],
    ],
    ids=lambda sentences: sentences[0][:20],
)
def test_prose_is_split_at_sentence_ends(sentences: list[str]) -> None:
    assert pieces(" ".join(sentences)) == sentences


def test_a_doubtful_stop_ends_a_sentence_before_a_word_that_opens_one() -> None:
    assert pieces("It was in the U.S. It sank.") == ["It was in the U.S.", "It sank."]
    assert pieces("He took vitamin C. Sleep came.") == ["He took vitamin C. Sleep came."]


def test_thai_is_split_where_a_space_follows_a_clause_of_some_length() -> None:
    first = "สะพานแห่งนี้เปิดใช้งานอย่างเป็นทางการเมื่อปี"
    second = "ต่อมามีการทาสีใหม่"

    assert pieces(f"{first} {second}") == [first, second]
    assert pieces("นาย สมชาย") == ["นาย สมชาย"]


def test_a_blank_line_ends_a_sentence() -> None:
    assert pieces("Not ended\n\nNext") == ["Not ended", "Next"]


def test_a_small_letter_does_not_begin_a_sentence() -> None:
    assert pieces("The verb (v. t.) is rare. yes.") == ["The verb (v. t.) is rare. yes."]


def test_only_the_span_asked_for_is_read() -> None:
    text = "Before. One. Two. After."

    assert sentence_starts(text, 8, 18) == [8, 13]


@given(st.text(alphabet="aB1 .,!?\n|-*_`()。“”'\"Ünd\u0e01", max_size=120))
def test_spans_are_gapless(text: str) -> None:
    spans = sentence_spans(text, 0, len(text))

    assert "".join(text[a:b] for a, b in spans) == text


@pytest.mark.parametrize(
    "unit", ["A. ", "no ", ". ", '."', "\n ", "\n\n", "a", "...", "ก ", "1. ", "(", "he said. ("]
)
def test_eight_times_the_text_takes_about_eight_times_as_long(unit: str) -> None:
    """Measured on CPU time, with room for noise; quadratic would be 64 times."""

    def seconds(text: str) -> float:
        began = time.process_time()
        sentence_starts(text, 0, len(text))
        return time.process_time() - began

    short = min(seconds(unit * 4_000) for _ in range(3))
    long = min(seconds(unit * 32_000) for _ in range(3))

    assert long < 25 * short + 0.01
