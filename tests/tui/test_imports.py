"""What is not loaded: a command that only mentions the console starts fast, and the screen needs no torch."""

from helpers.imports import HEAVY, loaded_by


def test_the_room_loads_no_textual_before_the_console_runs():
    modules, _ = loaded_by("import agopconsole.tui")
    assert not {"textual", "rich", "plotext", "sqlite3"} & modules


def test_the_console_loads_neither_torch_nor_plotext_nor_sqlite_utils_before_it_needs_them():
    modules, _ = loaded_by("import agopconsole.tui.app")
    assert HEAVY & modules == {"textual"}
