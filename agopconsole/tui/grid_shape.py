"""How many charts stand side by side and one above the other in the room that there is."""

from __future__ import annotations

Shape = tuple[int, int]
"""Columns and rows."""

AUTO = "auto"
MOST: Shape = (3, 2)

_USUAL_WIDTH, _USUAL_HEIGHT = 42, 11
_LEAST_WIDTH, _LEAST_HEIGHT = 30, 9


def usual_shape(width: int, height: int) -> Shape:
    """As many as can be read at a glance in `width` columns and `height` lines."""
    return _within(width // _USUAL_WIDTH, 0), _within(height // _USUAL_HEIGHT, 1)


def possible_shapes(width: int, height: int) -> list[Shape]:
    """All that can be drawn at all, the fewest charts first."""
    columns, rows = _within(width // _LEAST_WIDTH, 0), _within(height // _LEAST_HEIGHT, 1)
    shapes = [(c, r) for c in range(1, columns + 1) for r in range(1, rows + 1)]
    return sorted(shapes, key=lambda shape: (shape[0] * shape[1], shape))


def fitting_shape(wanted: str, width: int, height: int) -> Shape:
    """The shape of that name, `2x1`, as far as there is room for it; `auto` goes by the room alone."""
    if wanted == AUTO:
        return usual_shape(width, height)
    columns, _, rows = wanted.partition("x")
    most = possible_shapes(width, height)[-1]
    return min(int(columns), most[0]), min(int(rows), most[1])


def is_shape(text: object) -> bool:
    """Whether that is the name of a shape."""
    names = [AUTO, *(f"{c}x{r}" for c in range(1, MOST[0] + 1) for r in range(1, MOST[1] + 1))]
    return text in names


def next_shape(wanted: str, width: int, height: int) -> str:
    """The name of the next of the shapes that there is room for; after the last one `auto`."""
    names = [AUTO, *(f"{c}x{r}" for c, r in possible_shapes(width, height))]
    return names[(names.index(wanted) + 1) % len(names)] if wanted in names else AUTO


def _within(count: int, axis: int) -> int:
    return min(max(count, 1), MOST[axis])
