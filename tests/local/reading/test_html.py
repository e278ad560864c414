"""A web page is its content, not what surrounds it."""

import time

import pytest

from rag.errors import EmptyDocument
from rag.local.reading.html import read_html


def markdown(body: str) -> str:
    return read_html(f"<html><body>{body}</body></html>".encode()).markdown.strip()


def test_navigation_scripts_and_hidden_parts_are_left_out() -> None:
    page = (
        "<nav>menu</nav><header>banner</header><p>what this page is about is kept</p>"
        "<p hidden>a</p>"
        "<p style='display: none'>b</p><div role='navigation'>c</div><script>d</script>"
        "<footer>imprint</footer>"
    )

    assert markdown(page) == "what this page is about is kept"


def test_the_main_element_stands_for_the_page() -> None:
    page = "<div>teaser</div><main><h1>Title</h1><p>The whole long article</p></main>"

    assert markdown(page) == "# Title\n\nThe whole long article"


def test_a_small_main_element_does_not_swallow_the_page() -> None:
    page = "<main>x</main>" + "<p>the page's real content is out here</p>" * 3

    assert markdown(page).count("real content") == 3


def test_a_page_that_is_all_header_keeps_its_text() -> None:
    assert markdown("<header><p>everything is in here, by mistake</p></header>") != ""


def test_headings_lists_and_code_are_kept() -> None:
    page = "<h2>H</h2><ul><li>a<ul><li>b</li></ul></li></ul><pre>x = 1\n  y</pre>"

    assert markdown(page) == "## H\n\n- a\n  - b\n\n```\nx = 1\n  y\n```"


def test_cells_below_a_tall_cell_stay_in_their_column() -> None:
    page = (
        "<table><tr><th>A</th><th>B</th></tr><tr><td rowspan='2'>tall</td><td>1</td></tr>"
        "<tr><td>2</td></tr></table>"
    )

    assert markdown(page).splitlines()[2:] == ["| tall | 1 |", "|  | 2 |"]


def test_a_table_in_a_cell_becomes_its_text() -> None:
    page = (
        "<table><tr><th>A</th><th>B</th></tr><tr><td>out</td><td>in "
        "<table><tr><td>x</td><td>y</td></tr><tr><td>z</td></tr></table></td></tr></table>"
    )

    assert markdown(page).splitlines()[-1] == "| out | in x y; z |"


def test_words_stay_as_they_are_quoted() -> None:
    page = "<p>a <b>bold</b> <a href='https://x.y/z'>link</a>, snake_case * 2 [1]</p>"

    assert markdown(page) == "a bold link, snake_case * 2 [1]"


def test_an_exponent_stays_one() -> None:
    page = "10<sup>2</sup> m, x<sup>2n</sup>, 5<sup>th</sup>, H<sub>2</sub>O"

    assert markdown(page) == "10² m, x^2n, 5th, H2O"


def test_of_an_image_its_description_is_kept_and_its_data_is_not() -> None:
    assert (
        markdown("<p>see <img src='data:image/png;base64,AAAA' alt='a duck'></p>") == "see a duck"
    )


def test_title_and_encoding_are_the_pages_own() -> None:
    page = "<meta charset='iso-8859-2'><title> Łódź &amp; co </title><p>żółw</p>"

    read = read_html(page.encode("iso-8859-2"))

    assert (read.title, read.markdown) == ("Łódź & co", "żółw\n")


def test_bytes_in_no_encoding_are_read_as_a_browser_would() -> None:
    page = b"<p>caf\xe9 " + bytes(range(128, 256)) * 20

    assert read_html(page).markdown.startswith("caf")


def test_a_table_that_lays_out_a_page_is_no_table() -> None:
    page = "<table><tr><td><p>one</p></td></tr><tr><td><table><tr><td>two</table></td></tr></table>"

    assert markdown(page) == "one\n\ntwo"


def test_a_page_nested_beyond_reason_is_read_as_far_as_it_goes_and_in_no_time() -> None:
    started = time.process_time()

    page = read_html(b"<p>shallow</p>" + b"<div>" * 20_000 + b"deep")

    assert "shallow" in page.markdown
    assert time.process_time() - started < 5


def test_a_page_without_content_is_empty() -> None:
    with pytest.raises(EmptyDocument):
        read_html(b"<!-- nothing -->")


@pytest.mark.parametrize("character", ["\0", "&#0;", "&#1;", "&#xB;", "&#xFFFF;", "\ufffe"])
def test_what_is_no_character_of_a_text_stops_nobody(character: str) -> None:
    page = f"<p>before<script>x</script>{character}after</p><pre>a{character}b</pre>"

    assert markdown(page).replace("\ufffd", "") == "beforeafter\n\n```\nab\n```"


def test_numbers_that_nobody_meant_are_no_error() -> None:
    endless = "9" * 5_000
    page = (
        f"<ol start='{endless}'><li>one</li></ol>"
        f"<table><tr><td rowspan='{endless}'>a</td><td>b</td></tr></table>"
    )

    assert markdown(page).startswith("1. one\n\n|")


def test_an_encoding_that_is_none_is_not_believed() -> None:
    page = read_html(b"<meta charset='undefined'><p>caf\xe9 au lait, s'il vous pla\xeet</p>")

    assert page.markdown == "café au lait, s'il vous plaît\n"
