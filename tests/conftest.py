"""What tests share: an empty store, and one thread a process, since more are slower on small tensors."""

import os

import pytest

from agopconsole.store import Store

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def store(tmp_path):
    """An empty store, open, as `runs.db` in the test's own folder."""
    with Store(tmp_path / "runs.db", create=True) as store:
        yield store
