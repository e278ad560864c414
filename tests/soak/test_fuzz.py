"""Damaged and hostile files fail alone; the long form is `python -m scripts.soak.fuzz`."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from rag.domain import Source, Survey
from rag.local.reading.reader import LocalReader
from scripts.soak import fuzz as fuzzing
from scripts.soak.fuzz import SAMPLES, fuzz, hostile, sound_files
from scripts.soak.mutations import bombs, mutated

SEED = 7
CHANGED = 30
QUICK = {"nested.zip", "laughs.xml", "sheet.xlsx", "deep.html", "deep.json", "huge.bmp"}
"""Bombs that cost little to make."""


@pytest.fixture(autouse=True)
def _this_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]), prepend=os.pathsep)


def test_changed_files_are_read_or_refused() -> None:
    seeds = sound_files([SAMPLES])
    found = asyncio.run(fuzz(hostile(seeds, CHANGED, random.Random(SEED))))

    assert found.faults == []
    assert found.ended.total() == CHANGED
    assert found.ended["read"] < CHANGED, "nothing was damaged"


def test_bombs_are_refused_within_their_limits() -> None:
    found = asyncio.run(fuzz(bombs(QUICK)))

    assert found.faults == []
    assert found.ended.total() == len(QUICK)
    assert found.ended["document_too_large"] >= 1


def test_a_reader_that_fails_otherwise_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def survey(self: LocalReader, source: Source) -> Survey:
        raise KeyError(source.key)

    monkeypatch.setattr(LocalReader, "survey", survey)
    found = asyncio.run(fuzz(iter([("a.txt", b"text")])))

    assert found.faults[0] == "a.txt: KeyError: 'a.txt'"


def test_a_child_that_keeps_the_network_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "START", -1.0)
    monkeypatch.setattr(fuzzing, "SECLUDED", "no kernel says this")
    found = asyncio.run(fuzz(iter([("a.txt", b"text")])))

    assert found.faults[0] == "when a.txt had been read, a child had the network"


def test_a_seed_gives_the_same_files() -> None:
    content = (SAMPLES / "visit-us.html").read_bytes()

    assert mutated(content, random.Random(1)) == mutated(content, random.Random(1)) != content
    assert mutated(content, random.Random(2)) != mutated(content, random.Random(1))
