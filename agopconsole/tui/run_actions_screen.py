"""What can be asked of runs, for the screens that have some in sight: on each the same keys, by the same code."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from agopconsole.analysis.command_line import command_line
from agopconsole.analysis.export import export_runs
from agopconsole.queue.actions import perform, remove, titles
from agopconsole.store import RunRecord
from agopconsole.tui.dialogs import ConfirmScreen, PromptScreen
from agopconsole.tui.store_screen import StoreScreen
from agopconsole.wording import counted


class RunActionsScreen(StoreScreen):
    """A screen whose keys act on the runs that `chosen_runs` names."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "ask('cancel')", "Cancel", tooltip="cancel runs"),
        Binding("p", "ask('pause')", "Pause", show=False, tooltip="pause runs"),
        Binding("u", "ask('resume')", "Resume", show=False, tooltip="have paused runs go on"),
        Binding("R", "ask('retry')", "Queue again", show=False, tooltip="queue runs again that have ended"),
        Binding("plus", "ask('sooner')", "Sooner", show=False, tooltip="raise the priority"),
        Binding("minus", "ask('later')", "Later", show=False, tooltip="lower the priority"),
        Binding("d,delete", "remove", "Remove", show=False, tooltip="remove runs with all they yielded (asks)"),
        Binding("e", "export", "Export", show=False, tooltip="export runs: .json, .csv or .md"),
        Binding("y", "copy", "Copy command", show=False, tooltip="copy the command line that asks for the runs"),
    ]

    def chosen_runs(self) -> list[RunRecord]:
        """The runs that an action is about."""
        raise NotImplementedError  # Textual's metaclass leaves no room for an abstract method

    def removed(self, said: str) -> None:
        """Says that the runs are gone."""
        self.notify(said)

    def action_ask(self, name: str) -> None:
        """Asks something of the chosen runs."""
        if runs := self._runs_to_act_on():
            self._program.errands.do(lambda store: perform(store, name, runs), self.notify)

    def action_remove(self) -> None:
        """Removes the chosen runs once the user has said yes."""
        runs = self._runs_to_act_on()
        if not runs:
            return
        what = titles(runs)

        def answered(yes: bool | None) -> None:
            if yes:
                self._program.errands.do(lambda store: remove(store, runs), self.removed)

        question = f"Remove {what} with every number, log line and checkpoint? There is no way back."
        self._program.push_screen(ConfirmScreen(question, "remove"), answered)

    def action_export(self) -> None:
        """Writes the chosen runs to a file that the user names."""
        runs = self._runs_to_act_on()
        if not runs:
            return

        def named(name: str | None) -> None:
            if name:
                self._program.errands.do(lambda store: export_runs(store, runs, Path(name).expanduser()), self.notify)

        usual = f"run-{runs[0].id}.json" if len(runs) == 1 else "runs.json"
        self._program.push_screen(
            PromptScreen(f"Write {counted(len(runs), 'run')} to (.json, .csv, .md):", usual), named
        )

    def action_copy(self) -> None:
        """Copies the command lines of the chosen runs."""
        runs = self._runs_to_act_on()
        if unknown := [run for run in runs if run.unknown]:
            text = f"{unknown[0].title} was asked for by another version; this one has no command for it"
            self.notify(text, severity="warning")
        elif runs:
            self.app.copy_to_clipboard("\n".join(command_line(run.request) for run in runs))
            self.notify(f"copied {counted(len(runs), 'command line')}")

    def _runs_to_act_on(self) -> list[RunRecord]:
        runs = self.chosen_runs()
        if not runs:
            self.notify("there is no run to do that with", severity="warning")
        return runs
