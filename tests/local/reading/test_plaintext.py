"""A text file is its own text, whatever its encoding."""

import pytest

from rag.local.reading.plaintext import decode, paragraphs, whole

TEXT = "Žluťoučký kůň – naïve café, 10² m\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_by_its_mark_or_as_utf_8(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


def test_other_encodings_are_guessed_from_the_bytes() -> None:
    text = "Die Straße führt über die Brücke; dort wächst größeres Gemüse für alle Köche. " * 5

    assert decode(text.encode("cp1252")) == text


def test_japanese_is_guessed_too() -> None:
    text = "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n髙橋淳,35,名古屋\n"

    assert decode(text.encode("cp932")) == text


def test_what_the_page_declares_decides_where_utf_8_does_not_fit() -> None:
    assert decode("Łódź".encode("iso8859-2"), "iso8859-2") == "Łódź"


def test_line_ends_become_one_and_control_characters_go() -> None:
    assert decode(b"a\r\nb\rc\x00\x07\td\n") == "a\nb\nc\td\n"


def test_blank_lines_part_paragraphs_and_belong_to_none() -> None:
    text = "\n\none\ntwo\n \nthree\n"

    assert [text[b.start : b.end] for b in paragraphs(text)] == ["one\ntwo", "three"]


def test_code_is_one_block() -> None:
    text = "\nimport os\n\n\nprint()\n"

    [block] = whole(text)
    assert (block.kind, text[block.start : block.end]) == ("code", "import os\n\n\nprint()")
