"""What one study is: a TOML file of methods, data sets and seeds, expanded into runs."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import agopconsole
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.spec import MOST_ROUNDS, NOISE, RunSpec
from agopconsole.tuning import Tuning
from agopconsole.wording import counted, printable

_KEYS = ("name", "description", "inits", "datasets", "seeds", "rounds", "baseline", "run", "grid", "pairs", "tune")
_PLACES = {"seed": "seeds = [0, 1, 2]", "init": 'inits = ["nfm"]', "study": 'name = "..."'}
"""Fields that a study gives its runs elsewhere than in `run`, `grid` and `pairs`."""

MOST_SEEDS, MOST_RUNS = 10_000, 100_000
"""More is a slip of the finger."""

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Study:
    """A grid of runs that one report compares.

    Attributes:
        name: the name its runs carry in the store.
        description: a sentence for the reader of the report.
        baseline: label of the method that the others are compared with.
        runs: every run of the grid, in the order they are queued.
        tuning: how `tune` looks for the best settings of each method.
        text: of its TOML file; empty where it came from none.
    """

    name: str
    description: str
    baseline: str
    runs: tuple[RunSpec, ...]
    tuning: Tuning
    text: str = ""


def read_toml(path: Path) -> dict[str, Any]:
    """The TOML file at `path`.

    Raises:
        RequestError: if it is not there, not readable or not TOML; the message names line and column.
    """
    return _parse(_text_of(path), str(path))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark of its encoding
    except FileNotFoundError:
        raise RequestError(f"there is no file {path}") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} cannot be read: {error}") from None


def _parse(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # tomllib's own, or Python's of a number with thousands of digits
        raise RequestError(f"{origin} is not TOML: {error}") from None
    except RecursionError:
        raise RequestError(f"{origin} is not TOML: lists or tables are nested too deep") from None


def studies_at_hand() -> dict[str, Path]:
    """The studies in `configs` here or in the package, by name."""
    package = Path(agopconsole.__file__).parent
    # Beside the package in a checkout, inside it in a wheel.
    folders = (Path("configs"), package / "configs", package.parent / "configs")
    return {found.stem: found for folder in reversed(folders) for found in sorted(folder.glob("*.toml"))}


def baseline_at_hand(study: str) -> str | None:
    """The baseline that the file of a study names, where one lies here or in `configs`, here or in the package.

    A report is often asked for without the file. Files that are not sound say nothing.
    """
    for path in (*sorted(Path().glob("*.toml")), *studies_at_hand().values()):
        try:
            # Most files are of something else, and to search a text is quicker than to parse it.
            table = read_toml(path) if path.stem == study or study in path.read_text(encoding="utf-8") else {}
        except (RequestError, OSError, ValueError):
            continue
        if "inits" in table and table.get("name", path.stem) == study:
            baseline = table.get("baseline")
            return baseline if isinstance(baseline, str) else None
    return None


def read_study(path: Path) -> Study:
    """The study that the TOML file at `path` describes.

    Raises:
        RequestError: if the file or any run in it is wrong; the message names the file.
    """
    return parse_study(_text_of(path), default_name=path.stem, origin=str(path))


def parse_study(text: str, *, default_name: str, origin: str) -> Study:
    """The study that the text of a TOML file describes.

    Raises:
        RequestError: if the text or any run in it is wrong; the message names its origin.
    """
    table = _parse(text, origin)
    try:
        return replace(expand(table, default_name), text=text)
    except RequestError as error:
        raise RequestError(f"{origin}: {error}") from None


def expand(table: Mapping[str, Any], default_name: str) -> Study:
    """All runs of a study: data sets, then `pairs`, then the points of `grid`, then rounds, seeds and inits.

    Seeds come before inits, so that a study that is stopped half-way can already compare its methods. A method that
    a field of the grid does not concern is run once, not once a point; so is one that needs no source, whatever the
    rounds.

    Raises:
        RequestError: if a key is unknown, a list is empty, a run is wrong or there twice, or there are too many.
    """
    unknown = [key for key in table if key not in _KEYS]
    if unknown:
        raise unknown_choice("key of a study", unknown[0], _KEYS)
    name, description = _name(table, default_name), table.get("description", "")
    if not isinstance(description, str) or printable(description) != description:
        raise RequestError("description must be printable text")
    base, grid, pairs = _table(table, "run"), _grid(table), _pairs(table)
    _check_places(table, base, grid, pairs)
    inits = [init if isinstance(init, dict) else {"init": init} for init in _list(table, "inits")]
    if not all("init" in init for init in inits):
        raise RequestError("an entry of inits is a name, or a table with the name as its init")
    datasets = [{"dataset": d} for d in _list(table, "datasets")] if "datasets" in table else [{}]
    seeds = _seeds(table)
    count = len(datasets) * len(seeds) * len(inits) * max(1, len(pairs)) * math.prod(map(len, grid.values()))
    if count > MOST_RUNS:
        raise RequestError(f"that would be {counted(count, 'run')}; a study has {MOST_RUNS:,} at most")
    points = [
        {**pair, **dict(zip(grid, values, strict=True))}
        for pair, values in itertools.product(pairs or [{}], itertools.product(*grid.values()))
    ]
    runs = _without_repeats(
        (index, {**base, **dataset, **point, "seed": seed, **init, "study": name})
        for dataset, (index, point), seed, init in itertools.product(datasets, enumerate(points), seeds, inits)
    )
    labels = list(dict.fromkeys(run.label for run in runs))
    baseline = table.get("baseline", labels[0])
    if baseline not in labels:
        raise RequestError(f"baseline '{baseline}' is none of the study's methods: {', '.join(labels)}")
    tuning = Tuning.parse(_table(table, "tune"))
    return Study(name, description, baseline, runs, tuning)


def _table(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise RequestError(f"{key} must be a table of fields")
    return value


def _name(table: Mapping[str, Any], default: str) -> str:
    name = table.get("name", default)
    if not isinstance(name, str) or not name.strip():
        raise RequestError("name must be text")
    if len(name) > _LONGEST_NAME:
        raise RequestError(f"name must have {_LONGEST_NAME} characters at most")
    return name


def _list(table: Mapping[str, Any], key: str, of: str = "") -> list[Any]:
    value = table.get(key)
    if not isinstance(value, list) or not value:
        raise RequestError(f"{key}{of} must be a list with at least one entry")
    return value


def _grid(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields of `grid` with their values, the rounds among them: they are a field of a run like any other."""
    given = _table(table, "grid")
    grid = {name: _list(given, name, " of the grid") for name in given}
    if "rounds" not in table:
        return grid
    rounds = table["rounds"]
    if not isinstance(rounds, int) or isinstance(rounds, bool) or not 1 <= rounds <= MOST_ROUNDS:
        raise RequestError(f"rounds must be a whole number, 1 to {MOST_ROUNDS}")
    if "round" in grid:
        raise RequestError("round stands in grid and rounds at the top of the study; keep one of them")
    return {**grid, "round": list(range(1, rounds + 1))}


def _pairs(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fixed combinations of fields, each a table."""
    if "pairs" not in table:
        return []
    pairs = _list(table, "pairs")
    if not all(isinstance(pair, dict) and pair for pair in pairs):
        raise RequestError("an entry of pairs is a table of fields")
    if any(pair in pairs[:index] for index, pair in enumerate(pairs)):
        raise RequestError("pairs names one combination twice")
    return pairs


def _check_places(
    table: Mapping[str, Any],
    base: Mapping[str, Any],
    grid: Mapping[str, Sequence[Any]],
    pairs: Sequence[Mapping[str, Any]],
) -> None:
    """Checks that no field is given where another place would overrule it without a word."""
    paired = {name for pair in pairs for name in pair}
    for name, right in _PLACES.items():
        if name in base or name in grid or name in paired:
            raise RequestError(f"{name} stands in neither run nor grid; write {right} at the top of the study")
    if "datasets" in table and ("dataset" in base or "dataset" in grid or "dataset" in paired):
        raise RequestError("dataset stands in run or grid and datasets at the top of the study; keep one of them")
    places = {"run": set(base), "grid": set(grid), "pairs": paired}
    for (one, names), (other, others) in itertools.combinations(places.items(), 2):
        if both := sorted(names & others):
            raise RequestError(f"{both[0]} stands in {one} and in {other}; keep one of them")
    for name, values in grid.items():
        if any(value in values[:index] for index, value in enumerate(values)):
            raise RequestError(f"{name} of the grid names one value twice")


def _without_repeats(given: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[RunSpec, ...]:
    """The runs, each given with the point of the grid it belongs to, less those that an earlier point has already."""
    kept: dict[str, tuple[int | None, RunSpec]] = {}
    for point, fields in given:
        run = RunSpec.parse(fields)
        place = None if _is_from_noise(fields, run) else point
        first_place, first = kept.setdefault(run.fingerprint, (place, run))
        if first is not run and place is not None and first_place == place:
            raise RequestError(f"the study has one run twice: {run.label} on {run.dataset} with seed {run.seed}")
    return tuple(run for _, run in kept.values())


def _is_from_noise(fields: Mapping[str, Any], run: RunSpec) -> bool:
    """Whether the run is a first round that features begin from: one isotropic run serves all that share it."""
    if fields.get("source") != NOISE or run.method.needs_source:
        return False
    return RunSpec.parse({**fields, "source": "imagenet"}).method.needs_source


def _seeds(table: Mapping[str, Any]) -> list[Any]:
    """A list of seeds, or a number of them counted from 0."""
    seeds = table.get("seeds", 1)
    if isinstance(seeds, int) and not isinstance(seeds, bool) and 0 < seeds <= MOST_SEEDS:
        return list(range(seeds))
    if isinstance(seeds, list) and seeds:
        if len(set(map(str, seeds))) < len(seeds):
            raise RequestError("seeds names one seed twice; a repeat needs a seed of its own")
        return seeds
    raise RequestError(f"seeds must be a list of seeds or a number of them, 1 to {MOST_SEEDS}")
