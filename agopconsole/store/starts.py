"""The starts of many runs at once, each summed up in three numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agopconsole.store.session import Session


@dataclass(frozen=True, slots=True)
class StartSums:
    """How one run's network starts.

    Attributes:
        least, most: the layers' least and greatest mean square of the outputs; infinite where one is not finite.
        participation_ratio: at the last of the layers; NaN where it is not known.
    """

    least: float
    most: float
    participation_ratio: float


class Starts(Session):
    """The part of `Store` that sums up starts."""

    def start_sums(self, ids: Collection[int], layers: Sequence[str]) -> dict[int, StartSums]:
        """The starts by id, over the layers of those names alone; a run without one is left out.

        Args:
            ids: of the runs.
            layers: names of the layers, the last of them at the end.
        """
        if not layers:
            return {}
        rows = self._connection.execute(
            "SELECT run_id, min(output_mean_square), max(output_mean_square), sum(output_mean_square IS NULL),"
            " max(CASE WHEN layer = ? THEN participation_ratio END)"
            " FROM layers WHERE run_id IN (SELECT value FROM json_each(?))"
            " AND layer IN (SELECT value FROM json_each(?)) GROUP BY run_id",
            (layers[-1], json.dumps(list(ids)), json.dumps(list(layers))),
        )
        return {
            run_id: StartSums(
                math.inf if least is None else least,
                math.inf if unknown else most,
                math.nan if ratio is None else ratio,
            )
            for run_id, least, most, unknown, ratio in rows
        }
