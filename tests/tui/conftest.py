import shutil

import pytest
from helpers.demo_store import build_demo_store


@pytest.fixture(scope="session")
def demo_original(tmp_path_factory):
    return build_demo_store(tmp_path_factory.mktemp("demo") / "runs.db")


@pytest.fixture
def demo(demo_original, tmp_path):
    """A copy of the demo store that the test may change."""
    for file in demo_original.parent.glob("runs.db*"):
        shutil.copy(file, tmp_path)
    return tmp_path / "runs.db"
