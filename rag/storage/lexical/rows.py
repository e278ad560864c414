"""What the word index keeps of a chunk, and how it is asked for: in terms, never as text."""

from collections.abc import Sequence

import tantivy
from msgspec import Struct
from tantivy import Occur, Query, SchemaBuilder

from rag.ranking.analysis import ANALYSIS

FORMAT = f"2/{ANALYSIS}"
"""Changes with the schema below, or with how texts become words; an older index is rebuilt."""

ANALYZER = "words"  # as an index calls it: what it is given are terms
MARK = 0  # "chunk" of the row that says how far the index is; chunks count from 1


class Entry(Struct, frozen=True):
    """What is searched of a chunk."""

    chunk: int
    document: str
    text: str


class Analyzed(Struct, frozen=True):
    """An entry whose text has become terms."""

    chunk: int
    document: str
    terms: tuple[str, ...]
    """In order, repetitions included."""


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
    builder.add_text_field("text", tokenizer_name=ANALYZER, index_option="freq")
    builder.add_text_field("owner", stored=True, tokenizer_name="raw", index_option="basic")
    for name in Mark.__struct_fields__:
        builder.add_integer_field(name, stored=True)
    return builder.build()


def row(put: Analyzed) -> tantivy.Document:
    return tantivy.Document(chunk=put.chunk, document=put.document, text=" ".join(put.terms))


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


def any_of(within: tantivy.Schema, terms: Sequence[str]) -> Query:
    return Query.boolean_query(
        [(Occur.Should, Query.term_query(within, "text", term, "freq")) for term in terms]
    )


def all_of(within: tantivy.Schema, terms: Sequence[str]) -> Query:
    distinct = dict.fromkeys(terms)
    return Query.boolean_query(
        [(Occur.Must, Query.term_query(within, "text", term, "basic")) for term in distinct]
    )


def of_documents(within: tantivy.Schema, query: Query, documents: Sequence[str]) -> Query:
    listed = Query.term_set_query(within, "document", documents)
    return Query.boolean_query(
        [(Occur.Must, query), (Occur.Must, Query.const_score_query(listed, 0.0))]
    )
