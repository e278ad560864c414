"""What a run found, drawn."""

import math
from collections.abc import Sequence

from rag.evaluation.report.svg import WIDTH, bar, dot, drawing, line, path, text
from rag.evaluation.runs import HEADLINE, Arm, Run, curve, scores_of

COLORS = 4
"""Of lines that can be told apart; further settings are left to the table."""

ROW = 38  # units of a setting
MARGIN = 34  # units left of an axis, for its numbers

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)


def settings_plot(run: Run, measure: str = HEADLINE) -> str:
    """A row for each setting: its mean, and its interval as a line."""
    spreads = [arm.figures[measure] for arm in run.arms]
    low, high = _frame([end for each in spreads for end in each.interval])
    left, right = 10.0, WIDTH - 10.0

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    marks = []
    bottom = ROW * len(run.arms) + 6
    for value in _ticks(low, high):
        marks += [line(x(value), 4, x(value), bottom, "grid")]
        marks += [text(x(value), bottom + 14, f"{value:.2f}", "t dim", anchor="middle")]
    for n, (arm, found) in enumerate(zip(run.arms, spreads, strict=True)):
        y = ROW * n + 28
        color = f"c{n % COLORS}"
        told = f"{found.mean:.3f} ({found.interval[0]:.3f} to {found.interval[1]:.3f})"
        marks += [
            text(left, y - 12, arm.setting.name),
            text(right, y - 12, told, "t num", anchor="end"),
            line(x(found.interval[0]), y, x(found.interval[1]), y, f"span {color}"),
            dot(x(found.mean), y, f"fill {color}", radius=4.5, told=told),
        ]
    return drawing(bottom + 20, marks, f"{measure} of each setting with its 95 % interval")


def recall_plot(run: Run) -> str:
    """Recall over the number of hits, on a logarithmic axis; the first setting's interval as a
    band."""
    arms = run.arms[:COLORS]
    top, bottom, right = 8.0, 190.0, WIDTH - 12.0
    points = [k for k, _ in curve(arms[0])]
    low = _floor([spread.mean for arm in arms for _, spread in curve(arm)])

    def x(k: int) -> float:
        return MARGIN + math.log(k) / math.log(points[-1]) * (right - MARGIN)

    def y(value: float) -> float:
        return bottom - (value - low) / (1 - low) * (bottom - top)

    marks = []
    for value in _ticks(low, 1.0):
        marks += [line(MARGIN, y(value), right, y(value), "grid")]
        marks += [text(MARGIN - 5, y(value) + 4, f"{value:.2f}", "t dim", anchor="end")]
    marks += [text(x(k), bottom + 16, str(k), "t dim", anchor="middle") for k in points]
    first = curve(arms[0])
    band = [(x(k), y(max(each.interval[1], low))) for k, each in first]
    band += [(x(k), y(max(each.interval[0], low))) for k, each in reversed(first)]
    marks.append(path(band, "band c0", closed=True))
    for n, arm in reversed(list(enumerate(arms))):
        found = [(k, each.mean) for k, each in curve(arm)]
        marks.append(path([(x(k), y(value)) for k, value in found], f"stroke c{n}"))
        marks += [
            dot(
                x(k),
                y(value),
                f"fill c{n}",
                radius=2.5,
                told=f"{arm.setting.name}, {k}: {value:.3f}",
            )
            for k, value in found
        ]
    return drawing(bottom + 24, marks, "Recall over the number of hits") + legend(arms)


def differences_plot(run: Run, base: str, other: str, measure: str = HEADLINE) -> str:
    """A bar for each question on which the two differ, the greatest gain of `other` first."""
    one, two = scores_of(run, base, measure), scores_of(run, other, measure)
    texts = {each.id: each.text for each in run.questions}
    apart = sorted(((two[id] - one[id], id) for id in one if two[id] != one[id]), reverse=True)
    middle, reach, right = 80.0, 66.0, WIDTH - 8.0
    marks = [
        line(MARGIN, middle, right, middle, "axis"),
        text(MARGIN - 5, middle - reach + 8, "+1", "t dim", anchor="end"),
        text(MARGIN - 5, middle + 4, "0", "t dim", anchor="end"),
        text(MARGIN - 5, middle + reach, "−1", "t dim", anchor="end"),
    ]
    width = (right - MARGIN) / max(len(apart), 20)
    for n, (difference, id) in enumerate(apart):
        height = abs(difference) * reach
        upper = middle - height if difference > 0 else middle
        style = "fill good" if difference > 0 else "fill bad"
        told = f"{difference:+.2f}: {texts[id]}"
        marks.append(
            bar(MARGIN + n * width, upper, max(width * 0.8, 0.6), height, style, told=told)
        )
    return drawing(2 * middle, marks, f"Difference of {measure} for each question")


def latency_plot(arms: Sequence[Arm]) -> str:
    """How many searches took how long, on a logarithmic axis: a row for each setting."""
    timed = [(n, arm.latency_ms) for n, arm in enumerate(arms[:COLORS]) if arm.latency_ms]
    times = [time for _, latency in timed for time in latency.each]
    low, high = math.log(max(min(times), 0.1)), math.log(max(times) * 1.05)
    left, right, tall = 10.0, WIDTH - 10.0, 46.0
    bins = 36

    def x(milliseconds: float) -> float:
        share = (math.log(max(milliseconds, 0.1)) - low) / max(high - low, 1e-9)
        return left + share * (right - left)

    marks = []
    bottom = 8 + (tall + 28) * len(timed)
    for value in (v * 10**e for e in range(-1, 6) for v in (1, 2, 5)):
        if low <= math.log(value) <= high:
            marks += [line(x(value), 4, x(value), bottom, "grid")]
            marks += [text(x(value), bottom + 14, f"{value:g}", "t dim", anchor="middle")]
    for row, (n, latency) in enumerate(timed):
        base = 8 + (tall + 28) * (row + 1) - 4
        counts = [0] * bins
        for time in latency.each:
            counts[min(int((x(time) - left) / (right - left) * bins), bins - 1)] += 1
        step = (right - left) / bins
        for place, count in enumerate(counts):
            if count:
                height = tall * count / max(counts)
                marks.append(
                    bar(left + place * step, base - height, step - 1, height, f"fill c{n}")
                )
        told = f"p50 {latency.p50:.0f} ms, p99 {latency.p99:.0f} ms"
        marks += [
            text(left, base - tall - 7, arms[n].setting.name),
            text(right, base - tall - 7, told, "t num", anchor="end"),
            line(x(latency.p50), base, x(latency.p50), base - tall, "mark"),
            line(x(latency.p99), base, x(latency.p99), base - tall, "mark dashed"),
        ]
    return drawing(bottom + 20, marks, "Milliseconds of searches")


def legend(arms: Sequence[Arm]) -> str:
    names = (f'<span class="c{n}">● {arm.setting.name}</span>' for n, arm in enumerate(arms))
    return f'<p class="legend">{" ".join(names)}</p>'


def _frame(values: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis from 0 to 1 that show all values with a little room."""
    room = max(0.02, 0.05 * (max(values) - min(values)))
    return max(0.0, min(values) - room), min(1.0, max(values) + room)


def _floor(values: Sequence[float]) -> float:
    return max(0.0, math.floor((min(values) - 0.02) * 10) / 10)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, six at most."""
    step = next((each for each in STEPS if (high - low) / each <= 6), STEPS[-1])
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]
