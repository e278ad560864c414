import pytest

from rag.chunking.sentences import equal_parts, sentence_starts


def pieces(text: str) -> list[str]:
    starts = sentence_starts(text, 0, len(text))
    return [text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["One is here.", "Two is there!", "Is three?", "Four…"],
        ['He said "stop."', "Then he left."],
        ["Dr. Smith met Mr. J. R. Jones at 5 p.m. on Jan. 3.", "They spoke."],
        ["It costs 3.50 dollars, e.g. in Fig. 2 of Vol. 3, cf. Eq. 4.", "So it does."],
        ["Version 2.0 runs on example.com.", "It is new."],
        ["Das kostet z. B. 5 Euro bzw. mehr.", "Nr. 3 fehlt."],
        ["これは文です。", "次の文です。", "本当？", "はい！"],
        ["यह एक वाक्य है।", "यह दूसरा है।"],
        ["هل هذا سؤال؟", "نعم."],
        ["1. First of all, this is one item.", "Second sentence."],
        ["A line that\ngoes on here.", "And\nanother."],
        ["no full stop at the end"],
    ],
    ids=lambda sentences: sentences[0][:20],
)
def test_prose_is_split_at_sentence_ends(sentences: list[str]) -> None:
    assert pieces(" ".join(sentences)) == sentences


def test_a_blank_line_ends_a_sentence() -> None:
    assert pieces("Not ended\n\nNext") == ["Not ended", "Next"]


def test_a_small_letter_does_not_begin_a_sentence() -> None:
    assert pieces("The verb (v. t.) is rare. yes.") == ["The verb (v. t.) is rare. yes."]


def test_only_the_span_asked_for_is_read() -> None:
    text = "Before. One. Two. After."

    assert sentence_starts(text, 8, 18) == [8, 13]


def test_parts_are_near_equal_and_begin_behind_spaces() -> None:
    assert equal_parts("aaaa bbbb cccc dddd", 0, 19, 2) == [0, 10]


def test_parts_without_spaces_are_cut_anywhere() -> None:
    assert equal_parts("x" * 10, 0, 10, 2) == [0, 5]


def test_one_character_is_one_part() -> None:
    assert equal_parts("xyz", 1, 2, 5) == [1]
