"""Many questions' figures as one."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rag.evaluation.intervals import Interval, interval


class Spread(Struct, frozen=True):
    """A mean and its 95 % interval."""

    mean: float
    interval: Interval


class Latency(Struct, frozen=True):
    """Milliseconds."""

    p50: float
    p99: float
    each: tuple[float, ...]
    """Of every question that was timed, in their order."""


def spread(values: Sequence[float]) -> Spread:
    return Spread(float(np.mean(values)), interval([float(each) for each in values]))


def latency(times: Sequence[float]) -> Latency:
    low, high = np.percentile(times, [50, 99])
    each = tuple(round(time, 2) for time in times)
    return Latency(round(float(low), 2), round(float(high), 2), each)
