"""What a method is compared with: the baseline, its isotropic twin, and its own spectrum in random directions.

Groups and their values in; for each kind of comparison one `Contrast` a group, adjusted for the number of them, out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agopconsole.analysis.groups import Group, counterpart, index_groups
from agopconsole.analysis.statistics import Difference, compare, holm
from agopconsole.methods import TURNED

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Contrast:
    """One method beside another under the same recipe.

    Attributes:
        other: label of the other method; None where there is no such method.
        difference: to it, paired by seed; None where it was not run, or is the method itself.
        p_holm: the sign-flip test's p-value adjusted for all such comparisons of the report.
        t_p_holm: the paired t test's, adjusted in the same way.
        family: how many such comparisons there are.
    """

    other: str | None
    difference: Difference | None
    p_holm: float | None
    t_p_holm: float | None
    family: int

    @property
    def sign(self) -> int | None:
        """1 or -1 for a difference whose interval leaves 0 out, 0 for one that does not, None without an interval."""
        found = self.difference
        if found is None or found.delta is None or found.ci95 is None:
            return None
        return 0 if not found.shown else 1 if found.delta > 0 else -1

    @property
    def holds(self) -> bool:
        """Whether the difference is shown even when as many are looked at as the report holds."""
        return bool(self.sign) and self.t_p_holm is not None and self.t_p_holm < LEVEL

    def as_dict(self, prefix: str = "") -> dict[str, Any]:
        """The comparison as part of a flat row; the interval is a half-width."""
        found = self.difference
        return {
            f"{prefix}pairs": found.pairs if found else None,
            f"{prefix}delta": found.delta if found else None,
            f"{prefix}delta_ci95": found.ci95 if found else None,
            f"{prefix}p_value": found.p_value if found else None,
            f"{prefix}p_holm": self.p_holm,
            f"{prefix}t_p_holm": self.t_p_holm,
            f"{prefix}effect_size": found.effect_size if found else None,
            f"{prefix}verdict": found.verdict(str(self.other)) if found else None,
        }


def contrasts(
    groups: Sequence[Group], values: Mapping[int, float], other: Callable[[Group], str | None]
) -> list[Contrast]:
    """Each group beside the method that `other` names for it.

    Args:
        groups: all of the report.
        values: the metric by run id.
        other: from a group to the label of the method it is compared with.
    """
    index = index_groups(groups)

    def difference(group: Group) -> Difference | None:
        found = counterpart(group, other(group), index)
        return None if found is None or found is group else compare(group.values(values), found.values(values))

    differences = [difference(group) for group in groups]
    flips = holm([found.p_value if found else None for found in differences])
    ts = holm([found.t_p_value if found else None for found in differences])
    family = sum(p_holm is not None for p_holm in flips)
    return [
        Contrast(other(group), found, p_holm, t_p_holm, family)
        for group, found, p_holm, t_p_holm in zip(groups, differences, flips, ts, strict=True)
    ]


def rotated_label(group: Group) -> str | None:
    """Label of the method with the same spectrum in random directions; None where directions play no part."""
    if group.runs[0].unknown:
        return None
    request = group.runs[0].request
    method = request.method
    if not method.needs_features or method.scale == "poster" or method.basis not in TURNED:
        return None
    return replace(request, basis=TURNED[method.basis]).label
