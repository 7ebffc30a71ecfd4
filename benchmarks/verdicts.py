"""What became of the recorded runs that the verdict on their start called sound, slow or trouble.

    python benchmarks/verdicts.py [STORE]

The bounds of the verdict were set on the first 120 runs of the shipped store, and what it makes of batch norm on the
first 236, so that of these it is no test. `lost` are runs that diverged or stayed at chance; `as without norms` is
the verdict that knows of no norm layers.
"""

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from agopconsole.analysis.verdict import outlook
from agopconsole.catalogue import normed_layers
from agopconsole.store import Store

SET_ON = (120, 236)
"""The last run that the bounds, and the rule for batch norm, were made with."""

SHIPPED = 324
"""The last run that the store comes with: what is trained in a checkout later changes no table of the README."""

RECORDED = ("bounds set on", "norms in sight", "recorded since")
STORE = Path(__file__).parent.parent / "runs.db"
OUTLOOKS = ("sound", "slow", "trouble")


def main(path: Path) -> None:
    """Prints a row for each kind of run: how many were lost and learned, and what they were called."""
    counts: dict[tuple[int, str, str], Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder, Store(Path(shutil.copy(path, folder))) as store:
        for run in store.runs():
            start = store.start(run.id)
            if run.id > SHIPPED or not start:
                continue
            normed = normed_layers(run.model)
            recorded = sum(run.id > last for last in SET_ON)
            became = "lost" if run.diverged or run.at_chance else "learned"
            of_kind = counts.setdefault((recorded, "with" if normed else "without", became), Counter())
            of_kind["runs"] += 1
            of_kind[outlook(start, normed)] += 1
            of_kind["before"] += outlook(start) == "trouble"
    print("| runs | batch norm | became | n | sound | slow | trouble | trouble as without norms |")
    print("|---|---|---|--:|--:|--:|--:|--:|")
    for kind in sorted(counts, key=lambda kind: (kind[0], kind[1] == "with", kind[2])):
        found = counts[kind]
        cells = [RECORDED[kind[0]], *kind[1:], *(str(found[name]) for name in ("runs", *OUTLOOKS, "before"))]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else STORE)
