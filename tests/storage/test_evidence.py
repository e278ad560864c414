"""Evidence is blocks, whole and once, that really stand in their document."""

import numpy as np
from msgspec.structs import replace

from rag.domain import Block, Chunk, Document, Line, version_of
from rag.storage.evidence import LONG_BLOCK


def publish(shelf, text: str, blocks: tuple[Block, ...], *chunks: Chunk, pages: tuple = ()) -> None:
    version = shelf.library.originals.put(text.encode())
    document = Document("a", version, "text/plain", "A title", text, blocks, pages)
    vectors = np.repeat(np.eye(1, 32, dtype=np.float32), len(chunks), axis=0)
    shelf.library.documents.publish(shelf.collection, document, chunks, vectors)


def test_a_hit_brings_every_block_it_touches_once_and_numbered(shelf) -> None:
    text = "one two\nthree four\nfive six"
    blocks = (Block("text", 0, 7), Block("list", 8, 18), Block("text", 19, 27))
    publish(shelf, text, blocks, Chunk(0, 13, text[:13], 1), Chunk(8, 27, text[8:], 1))
    hits = shelf.hits("two five", modes="words")
    evidence = shelf.library.chunks.evidence(hits)

    assert [block.label for block in evidence] == [1, 2, 3]
    assert sorted(block.text for block in evidence) == ["five six", "one two", "three four"]
    assert {block.text: block.first_line for block in evidence} == {
        "one two": 1,
        "three four": 2,
        "five six": 3,
    }
    for block in evidence:
        assert block.text == text[block.block.start : block.block.end]
        assert block.version == version_of(text.encode())


def test_blocks_come_in_the_order_of_the_hits(shelf) -> None:
    text = "one two\nthree four"
    blocks = (Block("text", 0, 7), Block("text", 8, 18))
    publish(shelf, text, blocks, Chunk(0, 7, text[:7], 1), Chunk(8, 18, text[8:], 1))
    hits = {hit.start: replace(hit, score=1 / (hit.start + 1)) for hit in shelf.hits("one three")}
    evidence = shelf.library.chunks.evidence([hits[8], hits[0]])

    assert [(block.label, block.text) for block in evidence] == [(1, "three four"), (2, "one two")]
    assert [block.score for block in evidence] == [1 / 9, 1]


def test_a_long_block_is_clipped_to_the_hit_with_its_lines(shelf) -> None:
    text = "word " * LONG_BLOCK
    box = (0.0, 0.0, 1.0, 1.0)
    lines = tuple(Line(at, at + 100, box) for at in range(0, len(text), 100))
    chunk = Chunk(1_000, 1_200, text[1_000:1_200], 1)
    publish(shelf, text, (Block("text", 0, len(text), lines=lines),), chunk)
    [block] = shelf.library.chunks.evidence(shelf.hits("word"))

    assert (block.block.start, block.block.end) == (1_000, 1_200)
    assert [line.start for line in block.block.lines] == [1_000, 1_100]


def test_running_headers_are_no_evidence(shelf) -> None:
    text = "Header\nbody"
    blocks = (Block("header", 0, 6), Block("text", 7, 11))
    publish(shelf, text, blocks, Chunk(0, 11, text, 1))

    assert [block.text for block in shelf.library.chunks.evidence(shelf.hits("body"))] == ["body"]


def test_without_blocks_the_hit_itself_is_the_evidence(shelf) -> None:
    publish(shelf, "just text", (), Chunk(5, 9, "text", 1))

    assert [block.text for block in shelf.library.chunks.evidence(shelf.hits("text"))] == ["text"]


def test_what_was_deleted_since_it_was_found_is_left_out(shelf) -> None:
    summary = shelf.put("a", "first words")
    shelf.put("b", "other words")
    hits = shelf.hits("words")
    shelf.library.documents.delete(summary.id)

    assert [block.text for block in shelf.library.chunks.evidence(hits)] == ["other words"]


def test_what_was_replaced_since_it_was_found_is_left_out(shelf) -> None:
    shelf.put("a", "first words")
    hits = shelf.hits("words")
    shelf.put("a", "wholly different")

    assert shelf.library.chunks.evidence(hits) == ()
