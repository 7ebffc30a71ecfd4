"""Looks for the best settings of each method of a study: Optuna chooses, each trial is an ordinary run of the queue.

A search is one Optuna study with a storage of its own beside the store (TPE, Bergstra et al. 2011; a median pruner).
Its trials remember their runs, so that a search that was interrupted goes on with them. Nothing here trains: a worker
does, and calls `Tuner.update` between two steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agopconsole.catalogue import ENDED
from agopconsole.errors import RequestError, WorkError
from agopconsole.queue import requests
from agopconsole.spec import RunSpec
from agopconsole.store import RunRecord, Store
from agopconsole.study import Study
from agopconsole.tuning import Span, cells, trial_seed

if TYPE_CHECKING:
    import optuna

MOST_FAILURES = 3
"""So many runs of a method that fail, but do not diverge, end its search; one does that is asked for wrongly."""

_RANDOM_TRIALS, _UNPRUNED_TRIALS, _UNPRUNED_EPOCHS = 8, 4, 2
_DIGITS = 3
"""Significant digits of a setting that is tried: more say nothing, and a reader has to copy them."""


@dataclass(slots=True)
class _Open:
    """A trial whose run has not ended."""

    trial: optuna.Trial
    epochs_told: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What the search of one method came to.

    Attributes:
        cell: the method under its recipe, at the study's own settings.
        best: the run of the best trial; None where none trained to the end.
        own: validation accuracy at the study's own settings, in percent; None where these were not tried to the end.
        trials: how many ended, pruned ones included.
        pruned: how many were given up half-way.
        error: why the search ended early, or an empty text.
    """

    cell: RunSpec
    best: RunRecord | None
    own: float | None
    trials: int
    pruned: int
    error: str


@dataclass(slots=True)
class _Search:
    cell: RunSpec
    optuna_study: optuna.Study
    open: dict[int, _Open] = field(default_factory=dict)
    failures: int = 0
    error: str = ""

    @property
    def begun(self) -> int:
        return _begun(self.optuna_study)

    @property
    def title(self) -> str:
        return f"{self.cell.label} on {self.cell.dataset}"


def search_name(study: Study, cell: RunSpec) -> str:
    """What Optuna calls the search of one method."""
    defaults = {name: getattr(RunSpec(), name) for name in study.tuning.spans}
    return f"{study.name}: {cell.label} on {cell.dataset} ({replace(cell, **defaults).fingerprint})"


def trial_spec(study: Study, cell: RunSpec, seed: int, settings: Mapping[str, Any]) -> RunSpec:
    """The run of one trial."""
    return replace(cell, **settings, seed=seed, study=f"{study.name}-tune")


def storage_url(path: Path) -> str:
    """Optuna's storage in a file, as a URL; written by hand, a `?` in the path would end it."""
    from sqlalchemy import URL

    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


@contextlib.contextmanager
def naming_storage(path: Path) -> Iterator[None]:
    """Names Optuna's file in what goes wrong with it.

    Raises:
        WorkError: if it is no database, one of something else, locked, or there is no room for it.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError  # which Optuna keeps its searches with

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
        reason = str(getattr(cause, "orig", None) or cause or error).partition("\n")[0]
        raise WorkError(f"{path}, where Optuna keeps its searches, cannot be used: {reason}") from None


def begun_trials(storage: str, study: Study, searched: Sequence[RunSpec]) -> list[int]:
    """How many trials of each method Optuna's storage, which is there, knows of that ended or are under way."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    opened = optuna.storages.get_storage(storage)
    known = {found.study_name for found in optuna.get_all_study_summaries(opened, include_best_trial=False)}
    names = [search_name(study, cell) for cell in searched]
    return [_begun(optuna.load_study(study_name=name, storage=opened)) if name in known else 0 for name in names]


def _begun(search: optuna.Study) -> int:
    return sum(trial.state.name not in ("WAITING", "FAIL") for trial in search.get_trials(deepcopy=False))


class Tuner:
    """The searches of a study.

    Args:
        store: with the queue.
        study: whose methods are tuned.
        storage: Optuna's, as a URL.
        trials: how many of each method.
        at_once: how many may be under way.
        mirror: where to fetch data sets and weights from.
        tell: takes a line for whoever watches.

    Attributes:
        ids: the runs that a worker has to work on, which grows meanwhile.
    """

    def __init__(
        self,
        store: Store,
        study: Study,
        storage: str,
        *,
        trials: int,
        at_once: int,
        mirror: str | None = None,
        tell: Callable[[str], None],
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)  # `tell` says it
        self._store, self._study, self._mirror, self._tell = store, study, mirror, tell
        self._trials, self._at_once = trials, at_once
        self._spans = study.tuning.spans
        self._seed = trial_seed(study.runs)
        self.ids: set[int] = set()
        self._searches = [self._search(cell, storage) for cell in cells(study.runs, study.tuning)]

    def update(self) -> None:
        """Settles the trials whose runs have ended or are hopeless, and begins as many as there is room for."""
        for search in self._searches:
            for run_id in list(search.open):
                self._settle(search, run_id)
        while self._begin_next():
            pass

    def found(self) -> list[Found]:
        """What there is to say of each method now."""
        return [self._found(search) for search in self._searches]

    def _search(self, cell: RunSpec, url: str) -> _Search:
        import optuna

        found = optuna.create_study(
            storage=url,
            study_name=search_name(self._study, cell),
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED_TRIALS, n_warmup_steps=_UNPRUNED_EPOCHS),
        )
        # Another seed at every start: the same one would repeat the random trials of before.
        found.sampler = optuna.samplers.TPESampler(n_startup_trials=_RANDOM_TRIALS, seed=len(found.trials))
        search = _Search(cell, found)
        if not found.trials and all(span.holds(getattr(cell, name)) for name, span in self._spans.items()):
            found.enqueue_trial({name: getattr(cell, name) for name in self._spans})
        self._adopt(search)
        return search

    def _adopt(self, search: _Search) -> None:
        """Takes up the trials that an interrupted search left."""
        from optuna.trial import Trial, TrialState

        known = {run.id for run in self._store.runs()}
        for left in search.optuna_study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            run_id = left.user_attrs.get("run")
            if run_id in known:
                self._open(search, Trial(search.optuna_study, left._trial_id), run_id, len(left.intermediate_values))
            else:
                search.optuna_study.tell(left.number, state=TrialState.FAIL)

    def _open(self, search: _Search, trial: optuna.Trial, run_id: int, epochs_told: int = 0) -> None:
        search.open[run_id] = _Open(trial, epochs_told)
        self.ids |= requests.with_sources(self._store, [run_id])

    def _begin_next(self) -> bool:
        """Begins a trial of the method that has had the fewest; False if there is no room, or nothing left to try."""
        if sum(len(search.open) for search in self._searches) >= self._at_once:
            return False
        waiting = [(search.begun, i) for i, search in enumerate(self._searches) if not search.error]
        begun, index = min(waiting, default=(self._trials, 0))
        if begun >= self._trials:
            return False
        search = self._searches[index]
        trial = search.optuna_study.ask()
        settings: dict[str, Any] = {name: self._suggest(trial, name, span) for name, span in self._spans.items()}
        spec = trial_spec(self._study, search.cell, self._seed, settings)
        run_id = requests.find(self._store, spec)
        if run_id is None or run_id in search.open:
            [run_id] = requests.submit(self._store, [spec], mirror=self._mirror)
        trial.set_user_attr("run", run_id)
        self._open(search, trial, run_id)
        return True

    def _suggest(self, trial: optuna.Trial, name: str, span: Span) -> float:
        value = trial.suggest_float(name, span.low, span.high, log=span.logarithmic)
        return min(span.high, max(span.low, float(f"{value:.{_DIGITS}g}")))

    def _settle(self, search: _Search, run_id: int) -> None:
        from optuna.trial import TrialState

        run, open_trial = self._store.run(run_id), search.open[run_id]
        new = self._store.history(run_id)[open_trial.epochs_told :]
        for epoch in new:
            open_trial.trial.report(epoch.val_accuracy, epoch.epoch)
        open_trial.epochs_told += len(new)
        if run.status == "done":
            self._close(search, run, value=run.best_val_accuracy)
        elif run.diverged:
            self._close(search, run, value=0.0)  # a result: no other trial is worse
        elif run.status in ENDED:
            search.failures += run.status == "failed"
            if search.failures >= MOST_FAILURES or run.refused:
                search.error = run.error or "its runs fail"
            self._close(search, run, state=TrialState.FAIL)
        elif new and run.epoch < run.epochs and open_trial.trial.should_prune():
            self._prune(search, run)

    def _prune(self, search: _Search, run: RunRecord) -> None:
        from optuna.trial import TrialState

        try:
            requests.cancel(self._store, run.id)
        except RequestError:
            return  # it has ended meanwhile
        best = "" if run.best_val_accuracy is None else f", {run.best_val_accuracy:.2f} %,"
        reason = (
            f"pruned after epoch {run.epoch}: its best validation accuracy{best} is below the median of the trials"
        )
        self._store.log(run.id, "info", f"{reason} before it at that epoch")
        self._close(search, run, state=TrialState.PRUNED)

    def _close(
        self,
        search: _Search,
        run: RunRecord,
        value: float | None = None,
        state: optuna.trial.TrialState | None = None,
    ) -> None:
        trial = search.open.pop(run.id).trial
        search.optuna_study.tell(trial.number, value, state=state, skip_if_finished=True)
        settings = ", ".join(f"{name} {getattr(run.request, name):g}" for name in self._spans)
        end = {None: f"{value or 0:.2f} %", "PRUNED": f"pruned after epoch {run.epoch}"}
        outcome = "diverged" if run.diverged else end.get(state.name if state else None, run.error or run.status)
        self._tell(f"{search.title}, trial {trial.number + 1} (run #{run.id}): {settings}: {outcome}")

    def _found(self, search: _Search) -> Found:
        trials = search.optuna_study.get_trials(deepcopy=False)
        ids = [t.user_attrs["run"] for t in trials if t.state.name == "COMPLETE" and t.value]
        trained = self._store.runs(ids=ids)  # less those that a user has removed since
        own = [run.best_val_accuracy for run in trained if self._is_own(search, run)]
        return Found(
            search.cell,
            max(trained, key=lambda run: run.best_val_accuracy or 0.0, default=None),
            own[0] if own else None,
            sum(t.state.name in ("COMPLETE", "PRUNED") for t in trials),
            sum(t.state.name == "PRUNED" for t in trials),
            search.error,
        )

    def _is_own(self, search: _Search, run: RunRecord) -> bool:
        return all(getattr(run.request, name) == getattr(search.cell, name) for name in self._spans)
