"""Nothing in an answer is rendered, fetched, followed or hidden."""

import pytest

from rag.grounding.plain import REMOVED, plain


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("See [the list](http://evil.example/?q=1).", "See the list."),
        ("![x](http://evil.example/pixel.png) Done.", "x Done."),
        ("[a [b](c)](http://evil.example)", "a b"),
        ("[text][ref] and\n[ref]: http://evil.example", f"text and [ref] : {REMOVED}"),
        ("<img src=x onerror=alert(1)>Hello <b>you</b>", "Hello you"),
        ("<scr<b>ipt>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)", "< img src=x onerror=alert(1)"),
        ("<https://evil.example/a>", ""),
        ("Visit https://evil.example/a, now.", f"Visit {REMOVED}, now."),
        ("Write to eve@evil.example.", f"Write to {REMOVED}."),
        ("a\u200b\u202eb\u00adc\U000e0041d\x00e\ufe0f", "abcde"),
        ("one\n\n two", "one two"),
        ("5 < 6 and 7 > 3, a <= b", "5 < 6 and 7 > 3, a <= b"),
        ("f[i](x)", "fi"),
    ],
)
def test_links_images_tags_and_hidden_characters_are_gone(written: str, shown: str) -> None:
    assert plain(written) == shown


def test_an_address_that_the_sources_show_is_kept_as_text() -> None:
    assert plain("Write to a@b.example.", quoted="Mail: a@b.example") == "Write to a@b.example."


def test_joiners_stay_where_a_script_needs_them() -> None:
    assert plain("می\u200cخواهم") == "می\u200cخواهم"
    assert plain("te\u200cst\u200d") == "test"
