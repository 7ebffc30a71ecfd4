"""Makes numbers fit to draw: the one sanitiser between stored series and plotext.

plotext 6.1 aborts the process on a value that is not finite, and eats time and memory on one far outside the limits.
A `Series` comes in as it is; a `Curve` goes out whose every number is finite and within the limits: broken where a
value was not finite, clipped, and thinned to about two points a column.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_HUGE = 1e30
"""Beyond it, sums and differences of two values could overflow."""

_OUTLIER_SHARE = 0.05
_OUTLIER_SPANS = 5.0
_BAND_ROOM = 0.1


@dataclass(frozen=True)
class Series:
    """One line of a chart, as it comes from the store.

    Attributes:
        label: what the legend calls it.
        colour: "#rrggbb".
        x, y: the points, x rising; y may hold values that are not finite.
        band: half-width of the band around y (a standard deviation), or None.
        lost: x at which a run that this line speaks for stopped being finite, beside those that y itself shows.
    """

    label: str
    colour: str
    x: Sequence[float]
    y: Sequence[float]
    band: Sequence[float] | None = None
    lost: Sequence[float] = ()


@dataclass
class Piece:
    """A stretch of a curve without a gap; `band` is as long as `x` and `y`, or empty."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    band: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Curve:
    """A series that can be drawn.

    Attributes:
        series: what it was made from.
        pieces: the stretches between gaps; one of a single point is a point alone.
        lost: x of every value that was not finite, and of those that the series said were lost.
        ends_lost: whether the last value was not finite.
        clipped: the points that lay outside the limits, as (x, the limit they were moved to).
    """

    series: Series
    pieces: tuple[Piece, ...]
    lost: tuple[float, ...]
    ends_lost: bool
    clipped: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Limits:
    """What a chart shows: x and y from the low to the high end, low < high."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float


def find_limits(series: Iterable[Series], *, include_zero: bool = False) -> Limits | None:
    """The limits that show all finite values, or None if there is nothing to show.

    A few values far from all others, as a run leaves on its way to infinity, do not flatten the rest: limits leave
    them out, and they are clipped.

    Args:
        series: the lines of the chart.
        include_zero: whether y = 0 must lie within, with some room on both sides.
    """
    xs: list[float] = []
    ys: list[float] = []
    edges: list[float] = []
    for one in series:
        bands = one.band if one.band is not None else [0.0] * len(one.y)
        for x, y, band in zip(one.x, one.y, bands, strict=True):
            if math.isfinite(x):
                xs.append(_tamed(x))
                if math.isfinite(y):
                    ys.append(_tamed(y))
                    edges += [_tamed(y - _width(band)), _tamed(y + _width(band))]
        xs += [_tamed(x) for x in one.lost if math.isfinite(x)]
    if not ys:
        return None
    low, high = _without_outliers(ys)
    # The lines decide: a wide band may add a little room and is clipped beyond it.
    room = _BAND_ROOM * (high - low) if high > low else max(edges) - min(edges)
    low, high = max(low - room, min(edges)), min(high + room, max(edges))
    if include_zero:
        low, high = min(low, 0.0), max(high, 0.0)
        room = 0.15 * (high - low)
        low, high = min(low, -room), max(high, room)
    return Limits(*_apart(min(xs), max(xs), 0.5), *_apart(low, high, 0.5))


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


def _width(band: float) -> float:
    return abs(band) if math.isfinite(band) else 0.0


def make_curve(series: Series, limits: Limits, columns: int) -> Curve:
    """The curve of `series` within `limits`, for a canvas of `columns` columns.

    Raises:
        ValueError: if x, y and band are not of one length.
    """
    bands = series.band if series.band is not None else [0.0] * len(series.y)
    pieces: list[Piece] = [Piece()]
    lost = [x for x in series.lost if math.isfinite(x)]
    clipped = []
    ends_lost = False
    for x, y, band in zip(series.x, series.y, bands, strict=True):
        if not math.isfinite(x):
            continue
        ends_lost = not math.isfinite(y)
        if ends_lost:
            lost.append(_clip(x, limits.x_low, limits.x_high))
            if pieces[-1]:
                pieces.append(Piece())
            continue
        shown = _clip(y, limits.y_low, limits.y_high)
        if shown != y:
            clipped.append((x, shown))
        pieces[-1].x.append(_clip(x, limits.x_low, limits.x_high))
        pieces[-1].y.append(shown)
        pieces[-1].band.append(min(_width(band), _HUGE))
    thinned = tuple(_thin(piece, limits, columns) for piece in pieces if piece)
    return Curve(series, thinned, tuple(sorted(set(lost))), ends_lost, tuple(clipped))


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
    return Piece([piece.x[i] for i in kept], [piece.y[i] for i in kept], [piece.band[i] for i in kept])
