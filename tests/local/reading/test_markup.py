"""Text with marks of other kinds becomes markdown, and a line keeps its number."""

import pytest
from packages import read

from rag.errors import InvalidDocument
from rag.local.reading.markup.asciidoc import asciidoc_markdown
from rag.local.reading.markup.rst import rst_markdown


def rst(*lines: str) -> list[str]:
    return rst_markdown("\n".join(lines)).split("\n")


def asciidoc(*lines: str) -> list[str]:
    return asciidoc_markdown("\n".join(lines)).split("\n")


def test_rst_headings_are_as_deep_as_their_line_is_new() -> None:
    assert rst("=====", "Title", "=====", "", "One", "---", "", "Two", "===", "text") == [
        *("# Title", "", "", "", "## One", "", "", "### Two", "", "text"),
    ]


def test_rst_code_stands_in_fences_on_the_lines_it_had() -> None:
    assert rst("Run::", "", "    go now", "    stop", "", "then") == [
        *("Run:", "```", "go now", "stop", "```", "then"),
    ]
    assert rst(".. code-block:: python", "   :linenos:", "", "   x = 1", "", "y") == [
        *("", "", "```python", "x = 1", "```", "y"),
    ]


def test_rst_definitions_are_no_code() -> None:
    assert rst("Term", "    what it is ::", "", "        code") == [
        *("Term", "   what it is", "```", "code", "```"),
    ]


def test_rst_directives_are_read_and_never_carried_out() -> None:
    assert rst(
        *(".. note:: Mind *this*", "", "   and that", "", ".. include:: /etc/passwd", ""),
        *(".. a comment", "   on two lines", "", ".. image:: x.png", "   :alt: a duck"),
    ) == ["Note: Mind this", "", "and that", "", "", "", "", "", "", "a duck", ""]


def test_rst_words_are_as_a_person_would_quote_them() -> None:
    line = "See :ref:`the guide <guide>`, `a link <http://x.y>`_ and ``code``; 2 * 3 * 4, **so**."

    assert rst(line) == ["See the guide, a link and code; 2 * 3 * 4, so."]


def test_rst_tables_of_both_kinds_are_tables() -> None:
    grid = rst("+---+---+", "| A | B |", "+===+===+", "| 1 | x |", "|   | y |", "+---+---+")
    simple = rst("==  ==", "A   B", "==  ==", "1   2", "==  ==", "", "end")

    assert grid == ["| A | B |", "| --- | --- |", "| 1 | x y |", "", "", ""]
    assert simple == ["| A | B |", "| --- | --- |", "| 1 | 2 |", "", "", "", "end"]


def test_asciidoc_headings_lists_and_words() -> None:
    assert asciidoc(
        *("= Title", ":toc:", "", "== Part", "* one", "** two", ". three", "// nobody sees this"),
        *("See link:x.html[the *guide*] and <<y,that>>, `code`, a[0].", "include::x[]"),
    ) == [
        *("# Title", "", "", "## Part", "- one", "  - two", "1. three", ""),
        *("See the guide and that, code, a[0].", ""),
    ]


def test_asciidoc_code_and_tables_keep_their_lines() -> None:
    assert asciidoc("[source,ruby]", "----", "= x", "----", "y") == [
        *("", "```ruby", "= x", "```", "y"),
    ]
    assert asciidoc("|===", "|A |B", "", "|1", "|2", "|===", "end") == [
        *("| A | B |", "| --- | --- |", "| 1 | 2 |", "", "", "", "end"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_values_set_apart_are_a_table(delimiter: str) -> None:
    rows = (("Name", "Note"), ("Müller", '"a, b; c|\td"'), ("x", "y"))
    text = "\n".join(delimiter.join(row) for row in rows)

    document = read(text.encode(), "a.csv")

    assert [block.kind for block in document.blocks] == ["table"]
    assert document.text.split("\n")[2:] == ["| Müller | a, b; c\\| d |", "| x | y |"]


def test_json_on_one_line_is_set_out_and_other_json_is_as_it_was() -> None:
    long = '{"a": "' + "x" * 600 + '", "b": 1}'

    assert read(long.encode(), "a.json").text.split("\n")[2] == ' "b": 1'
    assert read(b'{"a":\n1}', "a.json").text == '{"a":\n1}'
    with pytest.raises(InvalidDocument, match="deeply"):
        read(b"[" * 100_000, "a.json")


def test_a_notebook_is_its_cells_and_what_they_printed() -> None:
    notebook = (
        b'{"metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "cells": ['
        b'{"cell_type": "markdown", "source": ["# Head\\n", "text"]},'
        b'{"cell_type": "code", "source": "1 + 1", "outputs": ['
        b'{"data": {"text/plain": ["2"], "image/png": "AAAA"}}, {"text": "\\u001b[31mred"}]}]}'
    )

    document = read(notebook, "a.ipynb")

    assert document.text == (
        "# Head\ntext\n\n```python\n1 + 1\n```\n\n```\n2\n```\n\n```\nred\n```\n"
    )
    with pytest.raises(InvalidDocument, match="damaged"):
        read(b'{"cells": 3}', "a.ipynb")


def test_a_feed_is_its_entries() -> None:
    feed = (
        b"<?xml version='1.0'?><rss><channel><title>News</title><item><title>One</title>"
        b"<pubDate>today</pubDate><description>&lt;p&gt;Hello &lt;b&gt;you&lt;/b&gt;&lt;/p&gt;"
        b"</description></item></channel></rss>"
    )

    document = read(feed, "feed")

    assert document.text == "# News\n\n## One\n\nDate: today\n\nHello you\n"
    assert document.title == "News"


def test_a_feed_without_entries_is_data() -> None:
    facts = b"<?xml version='1.0'?><RDF><Description><li>John</li></Description></RDF>"

    assert "<li>John</li>" in read(facts, "a.rdf").text


def test_an_xml_text_is_its_paragraphs_and_data_is_as_it_was() -> None:
    chapter = b"<ch><title>C</title><p>a <i>b</i></p></ch>"
    text = b"<?xml version='1.0'?><book><title>B</title>" + chapter + b"</book>"
    data = b"<?xml version='1.0'?>\n<config><port>80</port></config>"

    assert read(text, "b.xml").text == "# B\n\n## C\n\na b"
    assert "<port>80</port>" in read(data, "c.xml").text


def test_xml_with_entities_is_refused_and_nothing_is_read_in() -> None:
    hostile = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    )

    with pytest.raises(InvalidDocument, match="entities"):
        read(hostile, "a.xml")


def test_a_flat_open_document_is_read_as_one() -> None:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    text = (
        f'<office:document xmlns:office="{names}:office:1.0" xmlns:text="{names}:text:1.0">'
        "<office:body><office:text><text:h>H</text:h><text:p>p</text:p></office:text>"
        "</office:body></office:document>"
    )

    assert read(text.encode(), "a.fodt").text == "# H\n\np"
