"""The layers of a run as a table: the start of each, what its NFM is there, and later how NFM and AGOP agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.analysis.verdict import is_sound
from agopconsole.metrics import LayerAnsatz, LayerStart
from agopconsole.tui.words import NO_VALUE, compact

_NARROW, _WIDE = 6, 13


@dataclass(frozen=True, slots=True)
class LayerColumn:
    """A column: its heads where there is room and where there is not, and its value in a row.

    Attributes:
        measure: the field of `LayerStart` that it shows, if it is one: it says which values are sound.
        of_ansatz: whether the value is one of a `LayerAnsatz`; else it is one of a `LayerStart`.
    """

    wide: str
    narrow: str
    value: Callable[..., float]
    measure: str = ""
    of_ansatz: bool = False


def _nfm_trace(layer: LayerStart) -> float:
    """Of `W^T W`: the sum of the squared weights, `c_out * dim` times `weight_variance * 2/dim`."""
    return 2 * layer.c_out * layer.weight_variance


def _most_rank(layer: LayerStart) -> float:
    """Of `W^T W`, and so of the AGOP `W^T D W`: random filters have all of it unless a direction was taken out."""
    return min(layer.c_out, layer.dim)


START_COLUMNS = (
    LayerColumn("variance", "var", lambda row: row.weight_variance),
    LayerColumn("outputs²", "out²", lambda row: row.output_mean_square, "output_mean_square"),
    LayerColumn("common mode", "m'Sm", lambda row: row.common_mode, "common_mode"),
    LayerColumn("particip.", "PR", lambda row: row.participation_ratio, "participation_ratio"),
    LayerColumn("gradient", "grad", lambda row: row.gradient_ratio, "gradient_ratio"),
)
MORE_COLUMNS = (
    LayerColumn("between", "btwn", lambda row: row.between_share),
    LayerColumn("NFM trace", "trace", _nfm_trace),
    LayerColumn("rank, most", "rank≤", _most_rank),
)
ANSATZ_COLUMNS = (
    LayerColumn("NFM~AGOP", "~AGOP", lambda row: row.nfm_agop, of_ansatz=True),
    LayerColumn("NFM~AGOP^.5", "~A^.5", lambda row: row.nfm_agop_sqrt, of_ansatz=True),
    LayerColumn("NFM~its start", "~NFM0", lambda row: row.nfm_initial_nfm, of_ansatz=True),
)


def layers_table(
    layers: Sequence[LayerStart],
    width: int,
    columns: Sequence[LayerColumn] = START_COLUMNS,
    ansatz: Sequence[LayerAnsatz] = (),
    normed: Collection[str] = (),
) -> Text:
    """The layers in `width` columns of text, with as many of `columns` as there is room for.

    What is not sound is coloured, but for the layers `normed`, which have a batch norm behind them.
    A layer with several matrices (groups, or q, k and v) has a row for each of them below its own.
    """
    if not layers and not ansatz:
        return Text("no start recorded yet", GREY)
    rows = _rows(layers, ansatz)
    names = max(len(name) for name in rows)
    shown = min(len(columns), max((width - names) // _NARROW, 1))
    column = max(min((width - names) // shown, _WIDE), 1)
    heads = [one.wide if column == _WIDE else one.narrow for one in columns[:shown]]
    table = Text().append("layer".ljust(names) + "".join(f"{head:>{column}}" for head in heads), GREY)
    for name, (start, agreement) in rows.items():
        table.append(f"\n{name:<{names}}")
        for one in columns[:shown]:
            row = agreement if one.of_ansatz else start
            value = None if row is None else one.value(row)
            sound = value is None or is_sound(one.measure, value, normed=name in normed)
            table.append(f"{_cell(value, one):>{column}}", "" if sound else WARNING)
    return table


def _cell(value: float | None, column: LayerColumn) -> str:
    if value is None or (column.of_ansatz and math.isnan(value)):  # a start that is not known, nothing that diverged
        return NO_VALUE
    return compact(value)


def _rows(
    layers: Sequence[LayerStart], ansatz: Sequence[LayerAnsatz]
) -> Mapping[str, tuple[LayerStart | None, LayerAnsatz | None]]:
    """Start and ansatz by the name of layer or matrix: a matrix of its own name stands below its layer."""
    agreements = {one.layer: one for one in ansatz}
    rows: dict[str, tuple[LayerStart | None, LayerAnsatz | None]] = {}
    for layer in layers:
        rows[layer.layer] = (layer, agreements.pop(layer.layer, None))
        parts = [name for name in agreements if name.startswith((f"{layer.layer}[", f"{layer.layer}."))]
        rows |= {name: (None, agreements.pop(name)) for name in parts}
    return rows | {name: (None, one) for name, one in agreements.items()}
