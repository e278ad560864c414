import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunking.chunks import chunk
from rag.chunking.markdown import blocks
from rag.domain import Block, BlockKind, Chunk, Document, Page, embedded_text, version_of
from rag.errors import InvalidDocument

CountTokens = Callable[[Sequence[str]], list[int]]


def words(texts: Sequence[str]) -> list[int]:
    """Two special tokens, and one a word or mark."""
    return [2 + len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def characters(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def of_bytes(texts: Sequence[str]) -> list[int]:
    return [1 + len(text.encode("utf-8", "surrogatepass")) for text in texts]


def dearer_together(texts: Sequence[str]) -> list[int]:
    """A whole has more tokens than its parts: no real tokenizer is so unkind."""
    return [int(len(text) ** 1.15) for text in texts]


def cheap_alone(texts: Sequence[str]) -> list[int]:
    """Short texts cost nothing, long ones all they can."""
    return [0 if len(text) < 40 else len(text) for text in texts]


TOKENIZERS: list[CountTokens] = [words, characters, of_bytes, dearer_together, cheap_alone]


def markdown(text: str, title: str = "") -> Document:
    return Document("k", version_of(b""), "text/markdown", title, text, blocks(text))


def chunked(text: str, limit: int = 40, title: str = "") -> tuple[Chunk, ...]:
    return chunk(markdown(text, title), limit=limit, count_tokens=words)


def sentence(n: int, length: int = 6) -> str:
    return f"Sentence {n} " + " ".join(["word"] * (length - 3)) + "."


# --- promises, on any document and any tokenizer ------------------------------------------------

KINDS: tuple[BlockKind, ...] = (
    "title", "text", "table", "list", "code", "caption", "image", "equation", "header", "footer",
)  # fmt: skip
ALPHABET = st.sampled_from('ab c.d!?e \n\n|-`#*1。ไ中é́\u00a0\u2028 \t\\_:"(')
TEXTS = st.one_of(
    st.text(ALPHABET, max_size=120),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=60),
    st.just("| a | b |\n|---|---|\n" + "| one | two |\n" * 12),
    st.just("```python\n" + "x = 1\n\ny = 2\n" * 8 + "```"),
    st.just("- item one\n- item two\n  - nested\n" * 6),
    st.just("A sentence of some words. " * 12),
    st.just("unbroken" * 40),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Blocks of every kind in any order, on pages or not, whatever stands in them."""
    text, found, pages = "", [], []
    per_page = draw(st.sampled_from([0, 1, 3]))
    for position, content in enumerate(draw(st.lists(TEXTS, max_size=12))):
        kind = draw(st.sampled_from(KINDS))
        level = draw(st.integers(1, 6)) if kind == "title" else 0
        page = position // per_page + 1 if per_page else None
        start = len(text)
        text += content
        found.append(Block(kind, start, len(text), level=level, page=page))
        if page and (not pages or pages[-1].number != page):
            pages.append(Page(page, start, len(text), "text-layer", "sound"))
        elif page:
            pages[-1] = Page(page, pages[-1].start, len(text), "text-layer", "sound")
        text += draw(st.sampled_from(["\n\n", "\n", "", "\n<!-- a comment of a few words -->\n"]))
    title = draw(st.sampled_from(["", "T", "A title"]))
    return Document("k", version_of(b""), "text/x", title, text, tuple(found), tuple(pages))


@settings(max_examples=60, deadline=None)
@given(documents(), st.sampled_from(TOKENIZERS), st.integers(60, 200))
def test_every_chunk_is_a_span_that_fits_the_model(
    document: Document, count_tokens: CountTokens, limit: int
) -> None:
    for each in chunk(document, limit=limit, count_tokens=count_tokens):
        [tokens] = count_tokens([embedded_text(each, document.title)])

        assert document.text[each.start : each.end] == each.text
        assert each.text.strip()
        assert each.tokens == tokens <= limit


@settings(max_examples=60, deadline=None)
@given(documents(), st.sampled_from(TOKENIZERS), st.integers(60, 200))
def test_no_text_is_lost_and_nothing_left_out_comes_in(
    document: Document, count_tokens: CountTokens, limit: int
) -> None:
    chunks = chunk(document, limit=limit, count_tokens=count_tokens)
    covered = {at for each in chunks for at in range(each.start, each.end)}

    for block in document.blocks:
        letters = {at for at in range(block.start, block.end) if not document.text[at].isspace()}
        if block.kind in ("header", "footer"):
            assert not letters & covered
        else:
            assert letters <= covered


@settings(max_examples=30, deadline=None)
@given(documents(), st.sampled_from(TOKENIZERS))
def test_chunks_come_in_order_and_the_same_each_time(
    document: Document, count_tokens: CountTokens
) -> None:
    chunks = chunk(document, limit=80, count_tokens=count_tokens)

    assert chunks == chunk(document, limit=80, count_tokens=count_tokens)
    assert [each.start for each in chunks] == sorted(each.start for each in chunks)


# --- headings -----------------------------------------------------------------------------------


def test_a_chunk_knows_the_headings_above_it() -> None:
    text = (
        "# Guide\n\nHello.\n\n## Set *up*\n\nDo this.\n\n### Detail\n\nMore.\n\n## Use\n\nRun it."
    )

    paths = [each.heading_path for each in chunked(text)]

    assert paths == [
        ("Guide",),
        ("Guide", "Set up"),
        ("Guide", "Set up", "Detail"),
        ("Guide", "Use"),
    ]


def test_headings_open_a_chunk_and_never_end_one() -> None:
    text = "".join(
        f"## Part {n}\n\n### Point {n}\n\n" + " ".join(sentence(i) for i in range(n)) + "\n\n"
        for n in range(1, 12)
    )

    for each in chunked(text):
        assert not each.text.splitlines()[-1].startswith("#")


def test_a_heading_without_a_body_opens_the_next_section() -> None:
    [only] = chunked("# Empty\n\n# Full\n\nBody.")

    assert only.text == "# Empty\n\n# Full\n\nBody."
    assert only.heading_path == ("Full",)


def test_a_long_heading_path_is_cut_from_the_outside() -> None:
    outer, inner = "outer " * 28, "inner " * 5
    [only] = chunked(f"# {outer}\n\n## {inner}\n\nBody.", limit=60)

    assert only.heading_path == (inner.strip(),)


def test_a_title_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="shorter"):
        chunked("Body.", title="title " * 50)


# --- prose --------------------------------------------------------------------------------------


def test_small_blocks_under_one_heading_share_a_chunk() -> None:
    [only] = chunked("One.\n\nTwo.\n\n- three\n\nFour.")

    assert only.text == "One.\n\nTwo.\n\n- three\n\nFour."


def test_prose_is_cut_between_sentences() -> None:
    chunks = chunked(" ".join(sentence(n) for n in range(20)))

    assert len(chunks) > 1
    for each in chunks:
        assert each.text.startswith("Sentence")
        assert each.text.endswith(".")


def test_about_a_sentence_of_prose_is_repeated() -> None:
    first, second, *_ = chunked(" ".join(sentence(n, 5) for n in range(20)), limit=50)

    repeated = first.end - second.start
    assert first.text[-repeated:] == second.text[:repeated]
    assert words([second.text[:repeated]])[0] <= 2 + 0.15 * 50


def test_chunks_of_a_section_come_out_even() -> None:
    """A greedy cut would leave one paragraph of 12 words over."""
    paragraphs = [" ".join(f"w{n}" for n in range(12)) for _ in range(4)]

    sizes = [each.tokens for each in chunked("\n\n".join(paragraphs), limit=40)]

    assert sizes == [26, 26]


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    chunks = chunked("longwords " * 100)

    assert all(set(each.text.split()) == {"longwords"} for each in chunks)


def test_a_word_longer_than_a_chunk_is_cut_anywhere() -> None:
    document = markdown("x" * 500)

    chunks = chunk(document, limit=60, count_tokens=characters)

    assert "".join(each.text for each in chunks) == document.text


def test_a_line_without_words_makes_no_chunk_of_a_megabyte() -> None:
    """To word pieces, a word of more than a hundred letters is one unknown token."""
    chunks = chunk(markdown("A" * 100_000), limit=256, count_tokens=words)

    assert max(len(each.text) for each in chunks) <= 12 * 256


# --- tables, lists, code ------------------------------------------------------------------------

TABLE = "| name | size |\n| --- | --- |\n" + "".join(f"| row{n} | {n} |\n" for n in range(20))


def test_a_split_table_keeps_its_header_with_each_part() -> None:
    first, *rest = chunked(TABLE, limit=60)

    assert first.text.startswith("| name | size |")
    assert first.context == ""
    assert rest
    for each in rest:
        assert each.context == "| name | size |"
        assert each.text.startswith("| row")
        assert each.text.endswith("|")


def test_a_table_that_fits_stays_whole_beside_prose() -> None:
    rows = "| a | b |\n|---|---|\n" + "| c | d |\n" * 3
    prose = " ".join(sentence(n) for n in range(4))

    chunks = chunked(f"{prose}\n\n{rows}\n{prose}", limit=60)

    assert any(rows.strip() in each.text for each in chunks)


def test_a_split_code_fence_keeps_its_opening_line() -> None:
    code = "```python\n" + "".join(f"def f{n}():\n    return {n}\n\n" for n in range(12)) + "```"
    _, *rest = chunked(code, limit=60)

    assert rest
    assert {each.context for each in rest} == {"```python"}
    assert all(each.text.startswith(("def", "```")) for each in rest)


def test_code_is_cut_at_blank_lines_rather_than_elsewhere() -> None:
    functions = [f"def f{n}(a, b):\n    c = a + {n}\n    return c + b\n\n" for n in range(9)]

    for each in chunked("```\n" + "".join(functions) + "```", limit=64):
        assert each.text.removeprefix("```\n").startswith(("def", "```"))
        assert each.text.endswith(("return c + b", "```"))


def test_code_keeps_its_indentation() -> None:
    [only] = chunked("Text.\n\n```\n    indented\n```")

    assert "\n    indented\n" in only.text


def test_a_list_is_cut_between_items() -> None:
    items = "".join(f"- item {n} says a few words\n" for n in range(30))

    assert all(each.text.startswith("- item") for each in chunked(items))


# --- places -------------------------------------------------------------------------------------


def paged(*pages: str, running: str = "") -> Document:
    text, found, spans = "", [], []
    for number, content in enumerate(pages, start=1):
        start = len(text)
        if running:
            found.append(Block("header", start, start + len(running), page=number))
            text += running + "\n\n"
        for paragraph in content.split("\n\n"):
            found.append(Block("text", len(text), len(text) + len(paragraph), page=number))
            text += paragraph + "\n\n"
        spans.append(Page(number, start, len(text), "text-layer", "sound"))
    return Document("k", version_of(b""), "application/pdf", "", text, tuple(found), tuple(spans))


def test_a_chunk_lists_the_pages_it_stands_on() -> None:
    [only] = chunk(paged("One.", "Two."), limit=40, count_tokens=words)

    assert (only.pages, only.lines) == ((1, 2), None)


def test_a_chunk_does_not_reach_over_a_page_for_a_few_words() -> None:
    """Sixty words would take the first page and eight words of the second."""
    document = paged(
        " ".join(sentence(n) for n in range(9)), " ".join(sentence(n, 7) for n in range(8))
    )

    chunks = chunk(document, limit=66, count_tokens=words)

    assert [each.pages for each in chunks] == [(1,), (2,)]


def test_running_heads_are_left_out() -> None:
    chunks = chunk(paged("One.", "Two.", running="Annual report"), limit=40, count_tokens=words)

    assert [each.text for each in chunks] == ["One.", "Two."]


def test_a_chunk_of_a_text_without_pages_knows_its_lines() -> None:
    first, second = chunked("# One\n\nHere.\n\n# Two\n\nThere\nand on.")

    assert (first.lines, second.lines) == ((1, 3), (5, 8))


def test_a_text_without_blocks_is_chunked_all_the_same() -> None:
    document = Document("k", version_of(b""), "text/plain", "", "Plain words.\n")

    [only] = chunk(document, limit=40, count_tokens=words)

    assert only.text == "Plain words."


def test_an_empty_document_has_no_chunks() -> None:
    assert chunked(" \n\n") == ()


# --- cost ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "piece",
    [
        "A sentence of some words, like others. ",
        "word ",
        "x",
        "...... ",
        ". ",
        "\n",
        " \n",
        "| a | b |\n",
        "# h\n",
        "- i\n",
        "((((",
        "1.",
    ],
)
def test_time_grows_with_the_length_of_the_text(piece: str) -> None:
    """Four times the text takes about four times as long, where a square would take sixteen."""
    small, large = (piece * (n // len(piece)) for n in (10_000, 40_000))

    assert seconds(large) < 10 * seconds(small) + 0.2


def seconds(text: str) -> float:
    document = Document(
        "k", version_of(b""), "text/plain", "", text, (Block("text", 0, len(text)),)
    )
    began = time.process_time()
    chunk(document, limit=256, count_tokens=words)
    return time.process_time() - began


def test_the_repository_s_own_documents_are_chunked_whole() -> None:
    for path in (Path(__file__).parents[2]).glob("*.md"):
        for each in chunk(markdown(path.read_text(), path.stem), limit=256, count_tokens=words):
            assert each.tokens <= 256
