"""What the layers of a run see in a photo: it asks for the photo, has the maps computed and shows them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from textual.worker import Worker

from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.analysis.photo_maps import StoredMaps
from agopconsole.backend.places import BEST_WEIGHTS
from agopconsole.errors import AgopconsoleError
from agopconsole.store import RunRecord
from agopconsole.tui import words
from agopconsole.tui.child_command import run_command
from agopconsole.tui.dialogs import PromptScreen
from agopconsole.tui.kept_maps import MapsWanted, maps_of, sample_photo
from agopconsole.tui.key_bar import KeyBar
from agopconsole.tui.map_sheet import MapSheet
from agopconsole.tui.snapshot import Snapshot, Wanted
from agopconsole.tui.store_screen import StoreScreen


class MapsScreen(StoreScreen):
    """The maps of a photo at the best checkpoint of a run.

    Args:
        run: the run.
        maps: those that are shown at first; without any it asks for a photo.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "photo", "Photo", tooltip="another photo"),
        Binding("r", "anew", "Anew", tooltip="compute the maps anew, of the newest checkpoint"),
        Binding("escape,backspace", "back", "Back", tooltip="stop what is being computed, or go back to the run"),
    ]

    def __init__(self, run: RunRecord, maps: StoredMaps | None) -> None:
        super().__init__()
        self._run = run
        self._maps = maps
        self._work: Worker[None] | None = None
        self._began = 0.0
        self._line = ""
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """A line that says what is shown or done, and the pictures."""
        yield Static(id="heading")
        yield Static(id="maps-says")
        yield MapSheet(id="maps")
        yield KeyBar()

    def on_mount(self) -> None:
        """Shows what there is, or asks."""
        self.query_one(MapSheet).border_title = "feature maps"
        self.query_one(MapSheet).focus()
        self.set_interval(1.0, self._say)
        if self._maps is not None:
            self._show(self._maps)
        else:
            self.call_after_refresh(self.action_photo)
        self._say()

    def wanted(self) -> Wanted:
        """The run's files, which tell of a newer checkpoint."""
        return Wanted(log=self._run.id)

    def show(self, snapshot: Snapshot) -> None:
        """Says whether there is a newer checkpoint than the one that is shown."""
        self._run = snapshot.runs.get(self._run.id, self._run)
        heading = Text.assemble(" ", (self._run.title, "bold"), ("   feature maps of a photo", GREY))
        if self._run.id not in snapshot.runs:
            heading.append("   is no longer in the store", WARNING)
        elif self._maps is not None and snapshot.wanted.log == self._run.id:
            written = {file.name: file.written_at for file in snapshot.files}
            if written.get(BEST_WEIGHTS, "") > written.get(self._maps.path.name, "~"):
                heading.append("   of an older checkpoint: r computes them anew", WARNING)
        self.query_one("#heading", Static).update(heading)

    def show_trouble(self, text: str) -> None:
        """Says it in place of the heading."""
        self.query_one("#heading", Static).update(Text(f" ✗ {text}", WARNING))

    # Requests

    def action_photo(self) -> None:
        """Asks for a picture file."""
        from agopconsole.analysis.photo import open_photo  # PIL is slow to import

        def named(name: str | None) -> None:
            if name:
                photo = Path(name).expanduser().absolute()
                self._program.prefer(photo=str(photo))
                self._ask(photo)
            elif self._maps is None and self._work is None:
                self.dismiss()

        usual = self._program.preferences.photo or str(sample_photo() or "")
        prompt = PromptScreen(
            f"A picture file, to see what the layers of {self._run.title} see in it:",
            usual,
            check=lambda name: open_photo(Path(name).expanduser()),
        )
        self._program.push_screen(prompt, named)

    def action_anew(self) -> None:
        """Has the maps of the same photo computed anew."""
        if self._maps is not None:
            self._ask(self._maps.photo_path, anew=True)

    def action_back(self) -> None:
        """Stops what is being computed; with nothing to stop, or nothing to show, goes back to the run."""
        stops = self._work is not None
        if self._work is not None:
            self._work.cancel()
            self._work, self._trouble = None, "stopped"
            self._say()
        if self._maps is None or not stops:
            self.dismiss()

    def _ask(self, photo: Path, *, anew: bool = False) -> None:
        run, data = self._run, self._program.data

        def answered(found: StoredMaps | MapsWanted) -> None:
            if not self.is_mounted:
                return
            if isinstance(found, MapsWanted):
                self._began, self._line, self._trouble = time.monotonic(), "the engine is being loaded", ""
                self._work = self.run_worker(self._compute(found), exclusive=True)
                self._say()
            else:
                self._show(found)

        self._program.errands.do(lambda store: maps_of(store, run, photo, data, anew=anew), answered)

    async def _compute(self, wanted: MapsWanted) -> None:
        """Has the command run, and ends it if the screen goes first."""

        def heard(line: str) -> None:
            self._line = line
            self._say()

        try:
            await run_command(wanted.command, wanted.folder, heard)
            maps = await asyncio.to_thread(wanted.taken)
        except AgopconsoleError as error:
            self._work, self._trouble = None, str(error)
            self._say()
        else:
            self._work = None
            self._show(maps)

    # What is shown

    def _show(self, maps: StoredMaps) -> None:
        self._maps, self._trouble = maps, ""
        self.query_one(MapSheet).show(maps, draws=self._program.draws_pictures)
        self._say()
        self._program.reader.refresh()  # whose list of files tells how old they are

    def _say(self) -> None:
        """Says what is being computed, or why nothing came of it."""
        text = Text()
        if self._work is not None:
            seconds = words.duration(time.monotonic() - self._began)
            text = Text.assemble(" ▶ computing, ", (seconds, "bold"), (f"  {self._line}", GREY))
        elif self._trouble:
            text = Text(f" ✗ {self._trouble}", WARNING)
        line = self.query_one("#maps-says", Static)
        line.update(text)
        line.display = bool(text)
