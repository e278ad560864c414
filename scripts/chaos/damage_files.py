"""Damaged generations by the thousand, each opened as a start of the library would open it.

What FAISS, tantivy and the scan of rows are given is compared with what was written: not one
damaged byte may be among it. They are never really given one, so that a check which fails to
notice is counted, and does not crash the counting.
"""

import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import tantivy
from msgspec import Struct
from msgspec.structs import replace

from rag.storage.dense import clustering, segment, writing
from rag.storage.dense.clustering import Made, make_clusters
from rag.storage.dense.clusters import Clusters, read_clusters
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.manifest import Published
from rag.storage.dense.segment import open_segment
from rag.storage.dense.writing import Span, write_segment
from rag.storage.lexical import disk
from rag.storage.lexical.disk import DiskIndex
from rag.storage.lexical.disk import _index as open_index
from rag.storage.lexical.rows import FORMAT, Entry
from rag.storage.lexical.seals import LIST, MAGIC, SEAL, TAIL
from rag.storage.lexical.words import WordIndex
from scripts.chaos.damage_kinds import KINDS, contents_of, put_back

DIMENSION = 16
ROWS = 1_600  # as few as FAISS makes clusters of without a warning
ENTRIES = 60  # of a word index
WORDS = ("red", "green", "blue", "white", "black", "whale", "krill", "ice")

OWNER = "library/1/model"
OTHERS = {"another index": "library/2/model", "another library": "other/1/model"}

SEEN_BY_CHECKSUMS = ("flip_a_bit", "scramble", "zero_a_page", "cut_short", "extend")
"""What tantivy's own checksums show after a crash, when no seal says which files belong together;
they do not cover its list of segments."""


class Count(Struct):
    """Of one kind of damage to one kind of generation."""

    tried: int = 0
    """That changed anything."""
    believed: int = 0
    """Damaged bytes were used."""


class Specimen(Struct):
    """A sound generation, and how such a one is opened."""

    folder: Path
    others: tuple[Path, ...]
    """Others like it: a former one, one of another index, one of another library."""
    is_believed: Callable[[], bool]
    """Opens what is in the folder now, and uses all of it."""
    contents: dict[str, bytes | None]
    """What belongs there."""
    kinds: tuple[str, ...] = tuple(KINDS)
    spared: tuple[str, ...] = ()
    """Files that nothing covers, and that stay as they are."""


GENERATIONS = ("flat rows", "clusters", "words", "unsealed words")


def damage_files(
    rounds: int, seed: int, generations: Sequence[str] = GENERATIONS
) -> dict[tuple[str, str], Count]:
    """How often each kind of damage to each kind of generation was tried, and believed."""
    counts: dict[tuple[str, str], Count] = {}
    with tempfile.TemporaryDirectory(prefix="rag-damage-") as work:
        for name in generations:
            specimen = _specimen(name, Path(work), seed)
            chance = random.Random(f"{seed} {name}")
            for number in range(rounds):
                kind = specimen.kinds[number % len(specimen.kinds)]
                put_back(specimen.folder, specimen.contents)
                KINDS[kind](specimen.folder, specimen.others, chance)
                for file in specimen.spared:
                    (specimen.folder / file).write_bytes(specimen.contents[file] or b"")
                if _used(specimen.folder) != _that_matters(specimen.contents):
                    count = counts.setdefault((name, kind), Count())
                    count.tried += 1
                    count.believed += specimen.is_believed()
    return counts


def _specimen(name: str, work: Path, seed: int) -> Specimen:
    folder = work / name
    if name == "flat rows":
        return _segment(folder, seed, clustered_from=ROWS + 1)
    if name == "clusters":
        return _segment(folder, seed, clustered_from=1)
    words = _words(folder, seed)
    if name == "words":
        return words
    in_use = {name: each for name, each in words.contents.items() if name != SEAL}
    return replace(words, contents=in_use, kinds=SEEN_BY_CHECKSUMS, spared=(LIST,))


# --- dense --------------------------------------------------------------------------------------


def _segment(work: Path, seed: int, *, clustered_from: int) -> Specimen:
    numbers = np.random.default_rng(seed)

    def written(folder: str, owner: str) -> Published:
        rows = numbers.standard_normal((ROWS, DIMENSION)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        span = Span(owner, DIMENSION, 1, ROWS, deleted=(7, 9))
        blocks = [(np.arange(1, ROWS + 1), rows)]
        return write_segment(work / folder, blocks, span, clustered_from=clustered_from)

    with _clustered_here():
        mine = written("mine", OWNER)
        alike = {"former": OWNER, **OTHERS}
        others = tuple(work / each / written(each, owner).name for each, owner in alike.items())
    folder = work / "mine" / mine.name
    contents = contents_of(folder)

    def is_believed() -> bool:
        was_given: list[bytes] = []

        def read(content: bytes) -> Clusters:
            if content not in contents.values():
                was_given.append(content)
                raise SegmentDamaged(mine.name, "FAISS would have been given it")
            return read_clusters(content)

        with mock.patch.object(segment, "read_clusters", read):
            try:
                opened = open_segment(folder.parent, mine, owner=OWNER, dimension=DIMENSION)
                opened.rows.at(np.arange(ROWS))
            except SegmentDamaged:
                return bool(was_given)
        return True

    return Specimen(folder, others, is_believed, contents)


@contextmanager
def _clustered_here() -> Iterator[None]:
    """Few rows, and no process of their own for them."""

    def cluster(rows: Path, clusters: Path, dimension: int, *_: object) -> Made:
        content, probing = make_clusters(np.fromfile(rows, np.float16).reshape(-1, dimension))
        clusters.write_bytes(content)
        return Made(probing, hashlib.sha256(content).hexdigest())

    with (
        mock.patch.object(clustering, "WORTH_IT", 1),
        mock.patch.object(writing, "cluster", cluster),
    ):
        yield


# --- words --------------------------------------------------------------------------------------


def _words(work: Path, seed: int) -> Specimen:
    """A former state of the same index is believed, and rightly: it goes on from there."""
    chance = random.Random(seed)
    folder, former = work / "mine", work / "former"
    _put_words(folder, OWNER, 1, chance)
    shutil.copytree(folder, former)
    _put_words(folder, OWNER, 2, chance)
    for other, owner in OTHERS.items():
        _put_words(work / other, owner, 1, chance)
    others = (former, *(work / other for other in OTHERS))
    contents = contents_of(folder)
    sound = [_used(each) for each in (folder, *others)]

    def is_believed() -> bool:
        was_given: list[Path] = []

        def opened(folder: Path) -> tantivy.Index:
            used = _used(folder)
            if used and used not in sound:
                was_given.append(folder)
                raise ValueError("tantivy would have been given it")
            return open_index(folder)

        is_old = _used(folder) == sound[1]
        with mock.patch.object(disk, "_index", opened):
            is_sound = DiskIndex(folder, f"{OWNER}/{FORMAT}").was_sound
        return bool(was_given) or (is_sound and not is_old)

    return Specimen(folder, others, is_believed, contents)


def _put_words(folder: Path, owner: str, part: int, chance: random.Random) -> None:
    index = WordIndex(folder, owner)
    for number in range((part - 1) * ENTRIES + 1, part * ENTRIES + 1):
        text = " ".join(chance.choices(WORDS, k=8))
        index.change([Entry(number, f"doc{number}", text)], [number - 5], number)
        if number % (ENTRIES // 3) == 0:
            index.absorb()
    index.close()


def _used(folder: Path) -> dict[str, bytes | None]:
    return _that_matters(contents_of(folder))


def _that_matters(contents: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """Without tantivy's locks and its list of files to delete one day; without the seal, for one
    that is gone says no more than that the library was not closed; and without files of segments
    that the index has not, where it can be told which it has."""
    listed = contents.get(LIST) or b""
    return {
        name: _without_footer(content)
        for name, content in contents.items()
        if not name.startswith(".")
        and name != SEAL
        and (name == LIST or not _is_of_no_segment(name, listed))
    }


def _without_footer(content: bytes | None) -> bytes | None:
    """tantivy's footers say of the content what the seal compares, and nothing else does."""
    if content is None or content[-4:] != MAGIC.to_bytes(4, "little"):
        return content
    return content[: -TAIL - int.from_bytes(content[-TAIL:-4], "little")]


def _is_of_no_segment(name: str, listed: bytes) -> bool:
    try:
        segments = [each["segment_id"] for each in json.loads(listed)["segments"]]
        return name.partition(".")[0] not in [each.replace("-", "") for each in segments]
    except (ValueError, KeyError, TypeError, AttributeError):
        return False  # the list is damaged, or there is none
