import shutil

import pytest
from helpers.demo_store import build_demo_store

from agopconsole.analysis.estimate import Machine
from agopconsole.tui import form_screen, reader


@pytest.fixture(scope="session")
def demo_original(tmp_path_factory):
    return build_demo_store(tmp_path_factory.mktemp("demo") / "runs.db")


@pytest.fixture
def demo(demo_original, tmp_path):
    """A copy of the demo store that the test may change."""
    for file in demo_original.parent.glob("runs.db*"):
        shutil.copy(file, tmp_path)
    return tmp_path / "runs.db"


@pytest.fixture(autouse=True)
def _with_a_gpu(monkeypatch):
    """Has every console look as if it ran where the demo store's runs were trained, whatever is here."""
    machine = Machine("here", {"cuda:0": "", "cpu": ""})
    for module in (form_screen, reader):
        monkeypatch.setattr(module, "this_machine", lambda: machine)
