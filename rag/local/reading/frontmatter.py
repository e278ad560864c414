"""The head of a markdown file, between two lines `---` -> attributes.

Read as YAML without its surprises: `no` is a word and `2020-05-01` a text. What is neither a
scalar nor a list of them is left out, and so is a head that is no YAML.
"""

import re
from collections.abc import Iterator, Mapping

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from rag.domain import Attribute

HEAD = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
LONGEST_HEAD = 16_384  # characters
LONGEST_NAME = 200
LONGEST_TEXT = 10_000  # characters of a value, as where a caller gives it
MOST = 100  # attributes
EXACT = 2**53  # integers up to this are kept exactly by every JSON reader
UNKEPT = re.compile("[\0\ud800-\udfff]")
"""What escapes of YAML may bring, and not every database keeps."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # untyped, as its module
    """Knows only the plain scalars of JSON."""

    yaml_implicit_resolvers: dict[str, object] = {}


_SCALARS = {
    "null": (r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    "bool": (r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    "int": (r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    "float": (r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?", list("-0123456789")),
}
for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"{_pattern}$"), _first)


def front_matter(text: str) -> dict[str, Attribute]:
    """
    >>> front_matter("---\\ntags: [a, b]\\nyear: 2020\\nlang: no\\n---\\nText")
    {'tags': ('a', 'b'), 'year': 2020, 'lang': 'no'}
    """
    head = HEAD.match(text, 0, LONGEST_HEAD) if text.startswith("---") else None
    if head is None:
        return {}
    try:
        loaded = yaml.load(head[1], _Loader)  # noqa: S506  (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return dict(_attributes(loaded)) if isinstance(loaded, Mapping) else {}


def _attributes(loaded: Mapping[object, object]) -> Iterator[tuple[str, Attribute]]:
    for name, value in list(loaded.items())[:MOST]:
        if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and not UNKEPT.search(name):
            if isinstance(value, list):
                items = [_scalar(item) for item in value]
                yield name, tuple(str(item) for item in items if item is not None)
            elif (scalar := _scalar(value)) is not None:
                yield name, scalar


def _scalar(value: object) -> str | int | float | bool | None:
    if isinstance(value, str):
        return None if UNKEPT.search(value) or len(value) > LONGEST_TEXT else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
        return str(value)
    return value if isinstance(value, bool | int | float) else None
