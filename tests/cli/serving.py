"""The real service on a real port, which the commands find as they do on any machine: through the
lock file of its library. Commands then run in the tests' own process, and need no engines."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from msgspec import Struct

from rag.cli.commands import rag
from rag.errors import RagError
from rag.settings import Settings
from rag.wiring import Services
from tests.served import served


@contextmanager
def library_served(folder: Path, **more: Any) -> Iterator[Services]:
    services = Services(Settings(data_dir=str(folder), workers=1, provider="local", **more))
    with served(services) as address:
        services.library.announce(address)
        yield services


class Done(Struct, frozen=True):
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """What a person reads, on one line."""
        return " ".join(self.err.split())


class Commands:
    """`rag` as it is typed, on the served library."""

    def __init__(self, folder: Path) -> None:
        self.report = folder / "report.jsonl"

    def __call__(self, *words: str | Path, typed: str | None = None) -> Done:
        result = CliRunner().invoke(rag, [str(word) for word in words], input=typed)
        if isinstance(result.exception, RagError):
            return Done(2, result.stdout, str(result.exception))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def ingest(self, *words: str | Path) -> dict[str, dict[str, Any]]:
        """How each file ended."""
        self("ingest", *words, "--report", self.report, "-q")
        return self.lines()

    def lines(self) -> dict[str, dict[str, Any]]:
        lines = map(json.loads, self.report.read_text().splitlines())
        return {line["key"]: line for line in lines}


def written(folder: Path, **texts: str) -> Path:
    """A folder with these files; `__` is a slash in their names, `_` a dot."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
