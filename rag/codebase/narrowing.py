"""Which files a question and its filters let through."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate

from rag.syntax.languages import language_named
from rag.trees import CodeFile


def allowed(
    files: Mapping[int, CodeFile], languages: Sequence[str], paths: Sequence[str]
) -> frozenset[int] | None:
    """Files in one of the languages and of one of the paths; None where there is no filter."""
    if not languages and not paths:
        return None
    wanted = {language_named(name) for name in languages}
    matches = matching(paths)
    return frozenset(
        id
        for id, file in files.items()
        if (not wanted or file.language in wanted or _family(file.language) in wanted)
        and matches(file.path)
    )


def matching(patterns: Sequence[str]) -> Callable[[str], object]:
    """`src/**`, `*.py`, `src/http` and `client.py` all find what a person means by them."""
    if not patterns:
        return lambda _: True
    forms = [
        form
        for pattern in patterns
        for bare in [pattern.strip("/").replace("**", "*")]
        for form in (translate(bare), translate(f"*/{bare}"), translate(f"{bare}/*"))
    ]
    return re.compile("|".join(f"(?:{form})" for form in forms)).match


def _family(language: str) -> str:
    return "typescript" if language == "tsx" else language
