"""Marks of a drawing, as SVG. Sizes are in the drawing's own units, about a pixel on a phone;
colors are names of the page's style, so a drawing is dark where the page is."""

from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 360  # units: a phone's width, so that letters stay legible there


def drawing(height: float, marks: Iterable[str], described: str) -> str:
    """
    Args:
        described: for people who do not see it.
    """
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(described)}">'
        f"{''.join(marks)}</svg>"
    )


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def path(points: Sequence[tuple[float, float]], style: str, *, closed: bool = False) -> str:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    kind = "polygon" if closed else "polyline"
    return f'<{kind} points="{places}" class="{style}"/>'


def dot(x: float, y: float, style: str, *, radius: float = 3.5, told: str = "") -> str:
    title = f"<title>{escape(told)}</title>" if told else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{style}">{title}</circle>'


def bar(x: float, y: float, width: float, height: float, style: str, *, told: str = "") -> str:
    """From its upper left corner."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}"'
        f' height="{max(height, 0):.1f}" class="{style}">{title}</rect>'
    )


def text(x: float, y: float, said: str, style: str = "t", *, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} class="{style}">{escape(said)}</text>'
