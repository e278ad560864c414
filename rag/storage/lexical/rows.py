"""What the word index keeps of a chunk, and how it is asked for: in terms, never as text."""

import re
from collections.abc import Sequence

import tantivy
from msgspec import Struct
from tantivy import Occur, Query, SchemaBuilder

from rag.ranking.analysis.asking import Asked
from rag.ranking.analysis.quotations import Quoted
from rag.ranking.analysis.terms import ANALYSIS

FORMAT = f"4/{ANALYSIS}"
"""Changes with the schema below, or with how texts become words; an older index is rebuilt."""

ANALYZER = "words"  # as an index calls it: what it is given are terms
MARK = 0  # "chunk" of the row that says how far the index is; chunks count from 1


class Entry(Struct, frozen=True):
    """What is searched of a chunk."""

    chunk: int
    document: str
    text: str
    around: str | None = None
    """Language of its document, where that tells."""


class Analyzed(Struct, frozen=True):
    """An entry whose text has become terms."""

    chunk: int
    document: str
    language: str
    terms: str
    """In order, repetitions included, between spaces."""


class Mark(Struct, frozen=True):
    """What an index says of itself."""

    seq: int
    """It is complete up to this operation."""
    words: int
    """Of all rows that were ever put, and their number: their quotient is a row's length."""
    rows: int


NO_MARK = Mark(0, 0, 0)


class ForeignIndex(Exception):
    """It belongs to another library, index version or version of the service."""


def schema() -> tantivy.Schema:
    builder = SchemaBuilder()
    builder.add_integer_field("chunk", indexed=True, fast=True)
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name=ANALYZER, index_option="position")
    builder.add_text_field("language", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("owner", stored=True, tokenizer_name="raw", index_option="basic")
    for name in Mark.__struct_fields__:
        builder.add_integer_field(name, stored=True)
    return builder.build()


def row(put: Analyzed) -> tantivy.Document:
    return tantivy.Document(
        chunk=put.chunk, document=put.document, language=put.language, text=put.terms
    )


def mark_row(owner: str, mark: Mark) -> tantivy.Document:
    return tantivy.Document(chunk=MARK, owner=owner, seq=mark.seq, words=mark.words, rows=mark.rows)


def read_mark(index: tantivy.Index, owner: str) -> Mark:
    """
    Raises:
        ForeignIndex: it has none, or another owner's.
    """
    searcher = index.searcher()
    query = Query.term_query(index.schema, "chunk", MARK)
    hits = searcher.search(query, 2, count=False).hits
    marks = [searcher.doc(address).to_dict() for _, address in hits]
    if len(marks) != 1 or marks[0]["owner"] != [owner]:
        raise ForeignIndex
    return Mark(*(int(marks[0][name][0]) for name in Mark.__struct_fields__))


def any_of(within: tantivy.Schema, terms: Sequence[Asked]) -> Query:
    return Query.boolean_query([(Occur.Should, _weighted(within, each)) for each in terms])


def _weighted(within: tantivy.Schema, asked: Asked) -> Query:
    query = Query.term_query(within, "text", asked.term, "freq")
    return query if asked.weight == 1 else Query.boost_query(query, asked.weight)


def holding(within: tantivy.Schema, ways: Sequence[Quoted]) -> Query:
    """Rows with the words of a quotation side by side, in one of the ways they may be written."""
    return Query.boolean_query([(Occur.Should, _side_by_side(within, way)) for way in ways])


def _side_by_side(within: tantivy.Schema, way: Quoted) -> Query:
    if way.start is None:
        if len(way.terms) == 1:
            return Query.term_query(within, "text", way.terms[0], "basic")
        return Query.phrase_query(within, "text", list(way.terms))
    begun = re.escape(way.start) + ".*"
    if way.terms:
        patterns: list[str | tuple[int, str]] = [*(re.escape(term) for term in way.terms), begun]
        return Query.regex_phrase_query(within, "text", patterns)
    return Query.regex_query(within, "text", begun)


def both(one: Query, other: Query) -> Query:
    """Rows that match both, ranked by the first."""
    return Query.boolean_query(
        [(Occur.Must, one), (Occur.Must, Query.const_score_query(other, 0.0))]
    )


def of_documents(within: tantivy.Schema, documents: Sequence[str]) -> Query:
    return Query.term_set_query(within, "document", documents)


def of_chunks(within: tantivy.Schema, chunks: Sequence[int]) -> Query:
    return Query.term_set_query(within, "chunk", chunks)
