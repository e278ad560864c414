"""Rich Text is its words, in whatever encoding its fonts have."""

from packages import read

START = r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial Cyr;}}"


def text_of(body: str) -> str:
    return read((START + body + "}").encode("latin-1")).text


def test_paragraphs_and_characters_of_all_kinds() -> None:
    assert text_of(r"caf\'e9 \u8364?5\par {\f1 \'cf\'f0\'e8} a\~b\line c\u-10179?\u-8704?\par") == (
        "café €5\n\nПри a b\nc😀"
    )


def test_headings_come_from_styles_and_outline_levels() -> None:
    styles = r"{\stylesheet{\s0 Normal;}{\s1\b heading 1;}}"

    assert text_of(styles + r"\pard\s1 Head\par\pard\outlinelevel1 Sub\par\pard text\par") == (
        "# Head\n\n## Sub\n\ntext"
    )


def test_lists_keep_their_labels() -> None:
    body = r"\pard{\listtext\'b7\tab}one\par{\listtext\'b7\tab}two\par\pard{\pntext 1.\tab}x\par"

    assert text_of(body) == "- one\n- two\n1. x"


def test_rows_become_a_table() -> None:
    row = r"\trowd\cellx1\cellx2\pard\intbl a|b\cell {}\cell\row"

    assert text_of(row.format("1") + row.format("2") + r"\pard end\par") == (
        "| a\\|b | 1 |\n| --- | --- |\n| a\\|b | 2 |\n\nend"
    )


def test_a_row_that_does_not_end_keeps_its_cells() -> None:
    row = r"\trowd\cellx1\cellx2\pard\intbl "

    assert text_of(row + r"a\cell b\cell\row" + row + r"c\cell d") == (
        "| a | b |\n| --- | --- |\n| c | d |"
    )
    assert text_of(row + "alone") == "alone"


def test_a_star_means_only_the_group_it_opens() -> None:
    assert text_of(r"{\b0\*\cs7 seen}{\*\cs7 SECRET}\par") == "seen"


def test_what_nobody_sees_is_left_out() -> None:
    unseen = (
        r"{\v SECRET}{\*\unknown SECRET}{\pict\bin6 }}}}}}}{\info{\author SECRET}}"
        r"{\field{\*\fldinst SECRET}{\fldrslt shown}}{\header SECRET}{\deleted SECRET}"
    )

    assert text_of(unseen + r" \v SECRET\v0 seen\par") == "shown seen"


def test_braces_without_end_cost_nothing() -> None:
    assert read(b"{\\rtf1 a" + b"{" * 200_000).text == "a"
