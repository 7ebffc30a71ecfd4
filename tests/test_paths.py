"""Where files lie unless the user says otherwise."""

from pathlib import Path

from agopconsole.paths import default_data_dir


def test_data_lies_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_data_dir().name == "data"
    assert default_data_dir().parent.name == "agopconsole"
    assert isinstance(default_data_dir(), Path)
