from pathlib import Path

from agopconsole.cli.settings import Settings


def test_data_sets_lie_in_the_users_cache_folder_unless_told_otherwise(tmp_path):
    default = Settings(Path("runs.db"), None).data
    assert (default.parent.name, default.name) == ("agopconsole", "data")
    assert Settings(Path("runs.db"), tmp_path).data == tmp_path
