"""Has another process make clusters, and ends it when they are wanted no more."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from rag.lifetimes import mortal
from rag.storage.dense.clustering import Made

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
MODULE = "rag.storage.dense.clustering"
LOOK_EVERY = 0.1  # seconds
NICENESS = 10  # a tenth of a core that others want too; 19 is starved on a busy machine


class Stopped(Exception):
    """The one who asked for a segment wants it no more."""


class ClusteringFailed(Exception):
    """The process that made clusters died. Rows without clusters answer as well, but slower."""


def cluster(
    rows: Path,
    clusters: Path,
    dimension: int,
    should_stop: Callable[[], bool],
    niceness: int = NICENESS,
) -> Made:
    """Writes the clusters of a file of rows.

    Raises:
        Stopped: `should_stop` said so.
        ClusteringFailed: it could not be done, for want of memory for example.
    """
    asked = (str(rows), str(clusters), str(dimension), str(niceness))
    command = mortal((sys.executable, "-m", MODULE, *asked))
    with subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ONE_THREAD
    ) as child:
        try:
            while child.poll() is None:
                if should_stop():
                    raise Stopped
                time.sleep(LOOK_EVERY)
        finally:
            child.kill()
        assert child.stdout is not None, "it was asked for"
        said = child.stdout.read()
    if child.returncode:
        raise ClusteringFailed(f"the process ended with {child.returncode}")
    return msgspec.json.decode(said, type=Made)
