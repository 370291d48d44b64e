"""Draws the requests of fleets over time as one SVG, a panel for each fleet.

Light blue is the busiest second of some minutes, dark blue their mean, red the quota.
"""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH: Final = 720
PANEL: Final = 170
LEFT: Final = 46
TOP: Final = 30
BOTTOM: Final = 30
LEAST: Final = 0.1  # requests a second, at the foot of the logarithmic scale
MOST: Final = 2000.0
HOUR: Final = 3600
COLUMNS: Final = 330
PLOT: Final = PANEL - TOP - BOTTOM


def picture(panels: Sequence[tuple[str, Mapping[int, int], float]], quota: float) -> str:
    """The SVG.

    Args:
        panels: title, requests in each second, and hours of each.
        quota: requests a second that the service takes; drawn as a line.
    """
    box = f'viewBox="0 0 {WIDTH} {PANEL * len(panels)}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    )
    drawn = (
        line
        for number, panel in enumerate(panels)
        for line in _panel(*panel, top=number * PANEL + TOP, quota=quota)
    )
    return "\n".join((*head, *drawn, "</svg>", ""))


def _panel(
    title: str, requests: Mapping[int, int], hours: float, *, top: float, quota: float
) -> Iterator[str]:
    width = WIDTH - LEFT - 10
    yield f'<text x="{LEFT}" y="{top - 10}" font-weight="bold">{escape(title)}</text>'
    for rate in (1, 10, 100, 1000):
        y = _height(rate, top)
        yield f'<path d="M{LEFT} {y:.1f}h{width}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{rate}/s</text>'
    step = max(1, round(hours / 12))
    for hour in range(0, int(hours) + 1, step):
        x = LEFT + width * hour / hours
        yield f'<text x="{x:.1f}" y="{top + PLOT + 16}" text-anchor="middle">{hour} h</text>'
    length = max(1, int(hours * HOUR) // COLUMNS)  # seconds in a column
    columns = [[requests.get(n * length + s, 0) for s in range(length)] for n in range(COLUMNS)]
    for values, colour in (
        ([max(each) for each in columns], "#9ecae1"),
        ([sum(each) / length for each in columns], "#08519c"),
    ):
        points = " ".join(
            f"{LEFT + width * number / COLUMNS:.0f},{_height(value, top):.0f}"
            for number, value in enumerate(values)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}"/>'
    y = _height(quota, top)
    yield f'<path d="M{LEFT} {y:.1f}h{width}" stroke="#cb181d" stroke-dasharray="4 3"/>'


def _height(rate: float, top: float) -> float:
    part = log10(min(max(rate, LEAST), MOST) / LEAST) / log10(MOST / LEAST)
    return top + PLOT * (1 - part)
