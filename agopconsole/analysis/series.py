"""Makes numbers fit to draw: the one sanitiser between stored series and plotext.

plotext 6.1 aborts the process on a value that is not finite, and eats time and memory on one far outside the limits.
A `Series` comes in as it is; `to_scale` puts it on the scale of its axes and cuts it to the stretch looked at; a
`Curve` goes out whose every number is finite and within the limits: broken where a value was not finite, clipped, and
thinned to about two points a column.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_HUGE = 1e30
"""Beyond it, sums and differences of two values could overflow."""

_OUTLIER_SHARE = 0.05
_OUTLIER_SPANS = 5.0
_BAND_ROOM = 0.1

_Point = tuple[float, float, float, float]
"""x, y and the edges of the band; NaN for y where nothing is drawn."""


@dataclass(frozen=True)
class Series:
    """One line of a chart, as it comes from the store.

    Attributes:
        label: what the legend calls it.
        colour: "#rrggbb".
        x, y: the points, x rising; y may hold values that are not finite.
        band: half-width of the band around y (a standard deviation), or None.
        lost: x at which a run that this line speaks for stopped being finite, beside those that y itself shows.
        dotted: whether it is drawn with dots, as the lesser of two lines of one colour.
    """

    label: str
    colour: str
    x: Sequence[float]
    y: Sequence[float]
    band: Sequence[float] | None = None
    lost: Sequence[float] = ()
    dotted: bool = False


@dataclass(frozen=True)
class Scaled:
    """A series on the scale of its axes, cut to a stretch of x.

    Attributes:
        series: what it was made from.
        points: in order of x, with one interpolated at each end of the stretch that a line passes through.
        lost: x of every value that was not finite, and of those that the series said were lost, in sight or not.
        ends_lost: whether the last value of all was not finite.
        masked: values in the stretch that a logarithmic scale cannot show, zero or below.
    """

    series: Series
    points: tuple[_Point, ...]
    lost: tuple[float, ...]
    ends_lost: bool
    masked: int


@dataclass
class Piece:
    """A stretch of a curve without a gap; `low` and `high` are the edges of its band, or y itself without one."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Curve:
    """A series that can be drawn.

    Attributes:
        scaled: what it was made from.
        pieces: the stretches between gaps; one of a single point is a point alone.
        clipped: the points that lay outside the limits, as (x, the limit they were moved to).
    """

    scaled: Scaled
    pieces: tuple[Piece, ...]
    clipped: tuple[tuple[float, float], ...]

    @property
    def series(self) -> Series:
        """The series that it shows."""
        return self.scaled.series


@dataclass(frozen=True)
class Limits:
    """What a chart shows: x and y from the low to the high end, low < high."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float


def to_scale(series: Series, *, log: bool = False, window: tuple[float, float] | None = None) -> Scaled:
    """The series as its axes show it.

    Args:
        series: the line.
        log: whether y goes to its decimal logarithm; the band's edges do so each for itself.
        window: the stretch of x that is looked at; None for all of it.

    Raises:
        ValueError: if x, y and band are not of one length.
    """
    points: list[_Point] = []
    lost = [_tamed(x) for x in series.lost if math.isfinite(x)]
    masked, ends_lost = 0, False
    bands = series.band if series.band is not None else [0.0] * len(series.y)
    for x, y, band in zip(series.x, series.y, bands, strict=True):
        if not math.isfinite(x):
            continue
        ends_lost = not math.isfinite(y)
        if ends_lost:
            lost.append(_tamed(x))
            points.append((_tamed(x), math.nan, math.nan, math.nan))
            continue
        if log and y <= 0 and (window is None or window[0] <= x <= window[1]):
            masked += 1
        width = abs(band) if math.isfinite(band) else 0.0
        points.append((_tamed(x), _scaled(y, log), _scaled(y - width, log), _scaled(y + width, log)))
    if window is not None:
        points = list(_cut(points, *window))
    return Scaled(series, tuple(points), tuple(sorted(set(lost))), ends_lost, masked)


def _scaled(value: float, log: bool) -> float:
    """The value on its scale; on a logarithmic one NaN at and below zero."""
    if not log:
        return _tamed(value)
    return math.log10(_tamed(value)) if value > 0 else math.nan


def _cut(points: Iterable[_Point], low: float, high: float) -> Iterator[_Point]:
    """The points from `low` to `high`, and where the line between two of them passes either."""
    before: _Point | None = None
    for point in points:
        if before is not None:
            for edge in (low, high):
                if before[0] < edge < point[0]:
                    share = (edge - before[0]) / (point[0] - before[0])
                    y, bottom, top = (a + share * (b - a) for a, b in zip(before[1:], point[1:], strict=True))
                    yield edge, y, bottom, top
        if low <= point[0] <= high:
            yield point
        before = point


def find_limits(
    lines: Sequence[Scaled], *, include_zero: bool = False, window: tuple[float, float] | None = None
) -> Limits | None:
    """The limits that show all finite values, or None if there is nothing to show.

    A few values far from all others, as a run leaves on its way to infinity, do not flatten the rest: limits leave
    them out, and they are clipped.

    Args:
        lines: those of the chart.
        include_zero: whether y = 0 must lie within, with some room on both sides.
        window: the stretch of x; None for as much as there are points.
    """
    drawn = [point for one in lines for point in one.points if math.isfinite(point[1])]
    if not drawn:
        return None
    xs = [x for one in lines for x in (*(point[0] for point in one.points), *one.lost)]
    edges = [edge for point in drawn for edge in point[1:] if math.isfinite(edge)]
    low, high = _without_outliers([point[1] for point in drawn])
    # The lines decide: a wide band may add a little room and is clipped beyond it.
    room = _BAND_ROOM * (high - low) if high > low else max(edges) - min(edges)
    low, high = max(low - room, min(edges)), min(high + room, max(edges))
    if include_zero:
        low, high = min(low, 0.0), max(high, 0.0)
        room = 0.15 * (high - low)
        low, high = min(low, -room), max(high, room)
    return Limits(*_apart(*(window or (min(xs), max(xs))), 0.5), *_apart(low, high, 0.5))


def _without_outliers(values: list[float]) -> tuple[float, float]:
    """The least and the greatest value, leaving out up to 5 % that lie far outside the others."""
    values = sorted(values)
    cut = int(len(values) * _OUTLIER_SHARE)
    low, high = values[cut], values[-1 - cut]
    reach = _OUTLIER_SPANS * (high - low)
    if reach == 0:
        return values[0], values[-1]
    kept = [v for v in values if low - reach <= v <= high + reach]
    return kept[0], kept[-1]


def _apart(low: float, high: float, least: float) -> tuple[float, float]:
    """`low` and `high` moved apart where they are (all but) equal, so that a scale can lie between them."""
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    pad = max(least, 0.05 * abs(low))
    return low - pad, high + pad


def _tamed(value: float) -> float:
    return min(max(value, -_HUGE), _HUGE)


def make_curve(scaled: Scaled, limits: Limits, columns: int) -> Curve:
    """The curve of a series within `limits`, for a canvas of `columns` columns."""
    pieces: list[Piece] = [Piece()]
    clipped = []
    for x, y, low, high in scaled.points:
        if not math.isfinite(y):
            if pieces[-1]:
                pieces.append(Piece())
            continue
        shown = _clip(y, limits.y_low, limits.y_high)
        if shown != y:
            clipped.append((_clip(x, limits.x_low, limits.x_high), shown))
        piece = pieces[-1]
        piece.x.append(_clip(x, limits.x_low, limits.x_high))
        piece.y.append(shown)
        # A band that reaches zero has no lower edge on a logarithmic scale: it goes on to the edge of the chart.
        piece.low.append(_clip(low, limits.y_low, limits.y_high) if math.isfinite(low) else limits.y_low)
        piece.high.append(_clip(high, limits.y_low, limits.y_high))
    return Curve(scaled, tuple(_thin(piece, limits, columns) for piece in pieces if piece), tuple(clipped))


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _thin(piece: Piece, limits: Limits, columns: int) -> Piece:
    """At most two points a column, the lowest and the highest; the first and the last point stay."""
    if len(piece) <= 2 * columns:
        return piece
    keep = {0, len(piece) - 1}
    lowest: dict[int, int] = {}
    highest: dict[int, int] = {}
    scale = columns / (limits.x_high - limits.x_low)
    for i, (x, y) in enumerate(zip(piece.x, piece.y, strict=True)):
        column = min(int((x - limits.x_low) * scale), columns - 1)
        if column not in lowest or y < piece.y[lowest[column]]:
            lowest[column] = i
        if column not in highest or y > piece.y[highest[column]]:
            highest[column] = i
    kept = sorted(keep.union(lowest.values(), highest.values()))
    return Piece(*([values[i] for i in kept] for values in (piece.x, piece.y, piece.low, piece.high)))
