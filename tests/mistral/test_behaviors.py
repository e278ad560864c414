"""`behaviors.md` names tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
TABLE = HERE / "behaviors.md"


def named() -> list[tuple[str, str]]:
    """File and test of every reference in the last column; a file named once holds for the row."""
    found = []
    for row in TABLE.read_text().splitlines():
        if not row.startswith("| ") or row.startswith(("| the provider", "|---")):
            continue
        file = ""
        for name, test in re.findall(r"`([\w/]*(?:\.py)?)::(\w+)`", row.split(" | ")[-1]):
            file = name or file
            found.append((file, test))
    return found


@cache
def functions_of(file: str) -> frozenset[str]:
    for path in (HERE / file, TESTS / file.removeprefix("tests/")):
        if path.is_file():
            tree = ast.parse(path.read_text())
            return frozenset(
                node.name
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            )
    return frozenset()


@pytest.mark.parametrize(("file", "test"), named())
def test_every_test_that_is_named_exists(file: str, test: str) -> None:
    assert test in functions_of(file), f"{file} has no {test}"


def test_every_row_names_a_test() -> None:
    rows = [row for row in TABLE.read_text().splitlines() if row.startswith("| ")]
    bare = [row for row in rows if "::" not in row and not row.startswith("| the provider")]

    assert len(rows) > 60
    assert bare == []
