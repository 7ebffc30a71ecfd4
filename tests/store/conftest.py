import pytest

from agopconsole.store import Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as opened:
        yield opened
