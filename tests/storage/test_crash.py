"""A process killed at any moment loses nothing that it had acknowledged.

SIGKILL does not show a missing fsync: that the settings are the durable ones is asserted beside
the migrations, and a power cut needs a disk of its own.
"""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 4
WRITER = Path(__file__).with_name("endless_writer.py")


def test_acknowledged_documents_survive_being_killed_and_are_found_once(
    open_shelf, data_dir: Path, database_url: str | None
) -> None:
    chance = random.Random(11)
    open_shelf().library.close()
    acknowledged: dict[str, str] = {}
    for _ in range(ROUNDS):
        acknowledged |= killed_writer(data_dir, database_url, after=chance.uniform(0.0, 0.6))
        shelf = open_shelf()
        texts = {}
        for key, word in acknowledged.items():
            found = [
                hit for hit in shelf.hits(word, k=50, modes="words") if hit.text == f"the {word}"
            ]
            texts[key] = [hit.key for hit in found]
        health = shelf.library.health()
        documents = shelf.library.documents.versions_by_key(shelf.collection)
        shelf.library.close()

        assert texts == {key: [key] for key in acknowledged}
        # a document may have been committed and not yet acknowledged when the process died
        assert len(acknowledged) <= len(documents) <= len(acknowledged) + ROUNDS
        assert health.documents == health.chunks == len(documents)
        assert {one.rows for one in health.indexes} == {health.chunks}
    assert len(acknowledged) > ROUNDS


def killed_writer(data_dir: Path, url: str | None, *, after: float) -> dict[str, str]:
    """What a writer acknowledged before it was killed, that many seconds after the first."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), str(data_dir), *([url] if url else [])],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(after)
    writer.send_signal(signal.SIGKILL)
    rest = writer.communicate()[0]
    lines = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
    return dict(line.split() for line in lines)
