"""Cutting code: nothing lost, definitions whole, names known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.syntax.cutting import outline
from rag.syntax.languages import GRAMMARS, language_of
from rag.syntax.outline import CodeChunk, Outline
from rag.syntax.pieces import LARGEST

SAMPLES = {
    "bash": ("greet() {\n  echo hello\n}\n", "function", "greet"),
    "c": ("static int *find(int key) {\n  return 0;\n}\n", "function", "find"),
    "cpp": ("int Pool::take(int n) {\n  return n;\n}\n", "function", "Pool.take"),
    "csharp": ("class Box {\n  public int Open() { return 1; }\n}\n", "method", "Box.Open"),
    "elixir": ("defmodule A.B do\n  def run(x) when x > 1 do\n    x\n  end\nend\n",
               "function", "A.B.run"),
    "go": ("package a\n\nfunc (r *Ring[T]) Push(x T) {\n}\n", "method", "Ring.Push"),
    "haskell": ("module A where\n\nfold :: Int -> Int\nfold x = x\n", "function", "fold"),
    "java": ("class Box<T> {\n  T open() { return null; }\n}\n", "method", "Box.open"),
    "javascript": ("app.listen = function listen(port) {\n  return port\n}\n",
                   "function", "app.listen"),
    "kotlin": ("class Box {\n  fun open(): Int = 1\n}\n", "function", "Box.open"),
    "lua": ("local M = {}\nfunction M.open(a)\nend\n", "function", "M.open"),
    "php": ("<?php\nclass Box {\n  function open() {}\n}\n", "method", "Box.open"),
    "python": ("class Box:\n    async def open(self,\n                   n):\n        pass\n",
               "function", "Box.open"),
    "ruby": ("class A::Box\n  def self.open\n  end\nend\n", "method", "A.Box.open"),
    "rust": ("impl<T: X> Lid for Box<T> {\n  fn open(&self) {}\n}\n", "function", "Box.open"),
    "scala": ("object Box {\n  def open(n: Int) = n\n}\n", "function", "Box.open"),
    "swift": ("extension Box: Lid {\n  func open() {}\n}\n", "function", "Box.open"),
    "tsx": ("const Lid = () => <div/>\n", "function", "Lid"),
    "typescript": ("interface Box {\n  open(): void\n}\n", "method", "Box.open"),
    "zig": ("const Box = struct {\n  pub fn open() void {}\n};\n", "function", "Box.open"),
}  # fmt: skip


def whole(text: str, found: Outline) -> bool:
    """Whether the chunks are the text, each line in one of them."""
    ends = [chunk.end_line for chunk in found.chunks]
    starts = [chunk.start_line for chunk in found.chunks]
    follow = starts == [1, *(end + 1 for end in ends[:-1])]
    return follow and "".join(text[c.start : c.end] for c in found.chunks) == text


@pytest.mark.parametrize("language", GRAMMARS)
def test_each_grammar_tells_definitions_and_what_they_stand_in(language: str) -> None:
    text, kind, qualified = SAMPLES[language]

    found = outline(language, text)

    assert (kind, qualified) in {(each.kind, each.qualified) for each in found.definitions}
    assert whole(text, found)


def test_a_definition_that_fits_is_one_chunk_with_its_comment() -> None:
    body = "".join(f"    total += weigh(item_{n})\n" for n in range(30))
    first = f"def first(total):\n{body}\n\n"
    second = f"# What the second one is for.\n@cached\ndef second(total):\n{body}"

    [one, two] = outline("python", first + second).chunks

    assert one.symbol == ("first",)
    assert (two.symbol, two.start_line) == (("second",), 34)
    assert two.signature == "def second(total):"
    assert [(first + second)[start:end] for start, end in two.prose] == [
        "# What the second one is for."
    ]


def test_a_large_definition_is_cut_and_each_part_knows_what_it_is_of() -> None:
    text = "def huge():\n" + "".join(f"    step_{n}(first, second, third)\n" for n in range(200))

    chunks = outline("python", text).chunks

    assert len(chunks) > 2
    assert {chunk.symbol for chunk in chunks} == {("huge",)}
    assert {chunk.signature for chunk in chunks} == {"def huge():"}
    assert chunks[0].defines == ("huge",)
    assert all(chunk.defines == () for chunk in chunks[1:])


def size(text: str, chunk: CodeChunk) -> int:
    return len("".join(text[chunk.start : chunk.end].split()))


def test_without_a_grammar_lines_are_cut_after_blank_ones_and_far_left() -> None:
    block = "begin\n" + "  a line of some language nobody knows here\n" * 20 + "end\n\n"
    text = block * 6

    found = outline("text", text)

    assert whole(text, found)
    assert all(size(text, chunk) <= LARGEST for chunk in found.chunks)
    assert all(text[chunk.start :].startswith("begin") for chunk in found.chunks)


@pytest.mark.parametrize("text", ["", "\n\n", "   \n"])
def test_a_file_without_anything_in_it_has_no_chunks(text: str) -> None:
    assert outline("python", text).chunks == ()


@given(
    st.sampled_from(["python", "go", "cpp", "text"]),
    st.text(st.sampled_from("ab(){}:\n\t #\"'\\\u00e9\u4e2d\U0001f600\r\f\u2028")),
)
def test_whatever_a_file_holds_nothing_of_it_is_lost(language: str, text: str) -> None:
    found = outline(language, text)

    assert whole(text, found) or not text.strip()
    for chunk in found.chunks:
        assert all(chunk.start <= start <= end for start, end in chunk.prose)


@pytest.mark.parametrize(
    ("path", "beginning", "language"),
    [
        ("src/a.PY", "", "python"),
        ("Makefile", "", "make"),
        ("bin/run", "#!/usr/bin/env python3\n", "python"),
        ("bin/run", "#!/bin/sh -e\n", "bash"),
        ("notes", "", "text"),
        ("include/list.h", "", "c"),
    ],
)
def test_a_language_is_told_by_name_extension_or_interpreter(
    path: str, beginning: str, language: str
) -> None:
    assert language_of(path, beginning) == language
