"""Filters as people write them: `year >= 2020 and tags contains bird`.

A comparison is `KEY = VALUE`, or with != < <= > >= instead; `KEY in (VALUE, ...)`, `KEY contains
VALUE`, `KEY begins VALUE`, `KEY exists`. They are joined by `and`, `or`, `not` and parentheses. A
value is a number, true, false, null, or text: in quotes where it has spaces or could be mistaken.
Of attributes that begin with `file.` it is always a text.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import click
import msgspec

from rag.domain import FILE
from rag.errors import InvalidRequest

Json: TypeAlias = dict[str, Any]
"""A filter as the API takes it."""

_TOKENS = re.compile(
    r"""\s*(?:(?P<mark>[!<>=]=|[=<>(),])"""
    r"""|(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<bare>[^\s!<>=(),"']+))"""
)
_COMPARISONS = {"=": "eq", "==": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_WORDS = {"contains": "contains", "begins": "prefix"}

filters_option = click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="CONDITION",
    help="Only documents whose attributes match: 'year >= 2020 and tags contains x'. Repeatable.",
)


def parse_filters(texts: Sequence[str]) -> Json | None:
    """Those that hold all at once; one that begins with `{` is JSON as the API takes it.

    Raises:
        InvalidRequest: one cannot be understood.
    """
    parsed = [
        _json(text) if text.lstrip().startswith("{") else _Reader(text).all() for text in texts
    ]
    if len(parsed) > 1:
        return {"type": "and", "filters": parsed}
    return parsed[0] if parsed else None


def _json(text: str) -> Json:
    try:
        return msgspec.json.decode(text, type=Json)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"the filter is not JSON: {error}") from error


class _Reader:
    """Goes through the words of a filter once. `and` binds closer than `or`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[re.Match[str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            token = _TOKENS.match(text, at)
            if token is None:
                raise self._wrong(f"what is meant by {text[at:]!r}?")
            self._tokens.append(token)
            at = token.end()
        self._at = 0

    def all(self) -> Json:
        filter = self._either()
        if self._at < len(self._tokens):
            raise self._wrong(f"what is meant by {self._tokens[self._at][0].strip()!r}?")
        return filter

    def _either(self) -> Json:
        filters = [self._both()]
        while self._takes("or"):
            filters.append(self._both())
        return filters[0] if len(filters) == 1 else {"type": "or", "filters": filters}

    def _both(self) -> Json:
        filters = [self._one()]
        while self._takes("and"):
            filters.append(self._one())
        return filters[0] if len(filters) == 1 else {"type": "and", "filters": filters}

    def _one(self) -> Json:
        if self._takes("not"):
            return {"type": "not", "filter": self._one()}
        if self._takes("("):
            filter = self._either()
            self._expect(")")
            return filter
        return self._comparison(self._text_of(self._next("the name of an attribute")))

    def _comparison(self, key: str) -> Json:
        if self._takes("exists"):
            return {"type": "exists", "key": key}
        if self._takes("in"):
            self._expect("(")
            values = [self._value(key)]
            while self._takes(","):
                values.append(self._value(key))
            self._expect(")")
            return {"type": "in", "key": key, "values": values}
        sign = self._next(f"a comparison after {key!r}, such as =")[0].strip()
        if sign in _WORDS:
            return {
                "type": _WORDS[sign],
                "key": key,
                "value": str(self._text_of(self._next("a text"))),
            }
        if sign not in _COMPARISONS:
            raise self._wrong(f"{sign!r} after {key!r} is no comparison")
        return {"type": _COMPARISONS[sign], "key": key, "value": self._value(key)}

    def _value(self, key: str) -> str | int | float | bool | None:
        token = self._next("a value")
        text = self._text_of(token)
        if token["quoted"] or key.startswith(FILE):
            return text
        try:
            return msgspec.json.decode(text, type=int | float | bool | None)
        except msgspec.DecodeError:
            return text

    def _text_of(self, token: re.Match[str]) -> str:
        if token["mark"]:
            raise self._wrong(f"there is a {token['mark']!r} where a word should be")
        if token["quoted"]:
            return re.sub(r"\\(.)", r"\1", token["quoted"][1:-1])
        return token["bare"]

    def _next(self, wanted: str) -> re.Match[str]:
        if self._at == len(self._tokens):
            raise self._wrong(f"it ends where there should be {wanted}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, word: str) -> bool:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if (token["mark"] or token["bare"]) == word:
                self._at += 1
                return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            raise self._wrong(f"a {mark!r} is missing")

    def _wrong(self, why: str) -> InvalidRequest:
        return InvalidRequest(f"the filter {self._text!r} cannot be understood: {why}")
