"""What is not loaded: a command that only mentions the console starts fast, and the screen needs no torch."""

import subprocess
import sys


def loaded_by(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )


def test_the_room_loads_no_textual_before_the_console_runs():
    assert not {"textual", "rich", "plotext", "sqlite3"} & loaded_by("import agopconsole.tui")


def test_the_console_loads_neither_torch_nor_plotext_nor_sqlite_utils_before_it_needs_them():
    modules = loaded_by("import agopconsole.tui.app")
    assert "textual" in modules
    assert not {"torch", "torchvision", "sklearn", "scipy", "plotext", "sqlite_utils"} & modules
