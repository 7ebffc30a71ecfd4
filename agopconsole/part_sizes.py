"""How many images of a data set a run trains on, and how many validate it; by numbers alone, before any is read."""

from __future__ import annotations

from collections.abc import Sequence

from agopconsole.errors import RequestError
from agopconsole.wording import counted


def part_sizes(name: str, n: int, *, val_fraction: float, limit: int | None = None) -> tuple[int, int]:
    """The images that are trained on, and those that are held out for validation.

    Args:
        name: of the data set, for the message.
        n: its training images, in the classes that are kept.
        val_fraction: share of them held out.
        limit: train on that many of the rest (None: all).

    Raises:
        RequestError: if a part would be empty, or the limit is more than there is.
    """
    held_out = round(val_fraction * n)
    rest = n - held_out
    if not (held_out and rest):
        part = "train on" if held_out else "validate on"
        raise RequestError(f"val_fraction {val_fraction:g} of {counted(n, 'image')} of {name} leaves none to {part}")
    if limit is not None and not 0 < limit <= rest:
        raise RequestError(
            f"limit {limit}: {name} has {counted(rest, 'image')} to train on ({held_out:,} of {n:,} are held out)"
        )
    return limit or rest, held_out


def check_classes(name: str, kept: Sequence[int], known: int) -> None:
    """Checks that a data set of so many classes has those that are kept.

    Raises:
        RequestError: naming the first that it does not have.
    """
    beyond = [index for index in kept if not 0 <= index < known]
    if beyond:
        raise RequestError(f"there is no class {beyond[0]}: {name} has the classes 0 to {known - 1}")
