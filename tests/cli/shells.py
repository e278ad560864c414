"""`rag` as it is typed, on a library that no server has open: in this very process, which is what
most tests need, or in one of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.serving import Commands, Done

LIMIT = 300  # seconds; far above what any command takes, so that only a hang fails
TREE = Path(__file__).parents[2]


class Shell:
    """In a folder whose subfolder `library` is the library."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str | Path, stdin: str | None = None, library: str = "library") -> Done:
        with pytest.MonkeyPatch.context() as patch:
            for name in set(os.environ) - set(_plain()):
                patch.delenv(name)
            patch.setenv("RAG_DATA_DIR", str(self.folder / library))
            patch.chdir(self.folder)
            return Commands(self.folder)(*words, typed=stdin)

    def process(self, *words: str | Path, **environment: str) -> Done:
        """The same in a process of its own, as a person's shell starts it."""
        return self.python("-m", "rag", *words, **environment)

    def python(self, *words: str | Path, **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            env={
                **_plain(),
                "PYTHONPATH": str(TREE),
                "RAG_DATA_DIR": str(self.folder / "library"),
                **environment,
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str | Path, library: str = "library") -> Any:
        done = self.run(*words, "--json", library=library)
        assert done.code == 0, done.err
        return json.loads(done.out)


def _plain() -> dict[str, str]:
    """The environment without settings."""
    return {n: v for n, v in os.environ.items() if not n.startswith(("RAG_", "MISTRAL_"))}
