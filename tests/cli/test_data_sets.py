import io

from agopconsole.catalogue import DATASETS


def test_data_sets_are_listed(cli, tmp_path):
    status, out, _ = cli("datasets", "list", "--data-dir", tmp_path / "data", "--format", "csv")
    assert status == 0
    assert [line.split(",")[0] for line in io.StringIO(out)] == ["name", *DATASETS]


def test_what_needs_no_fetching_is_there(cli):
    assert cli("datasets", "fetch", "digits")[:2] == (0, "digits: scikit-learn\n")
