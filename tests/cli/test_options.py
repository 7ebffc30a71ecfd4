import io
from dataclasses import fields

import pytest

from agopconsole.catalogue import DATASETS
from agopconsole.cli.entry import globals_first
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec


def test_every_field_of_a_spec_is_an_option_with_its_help(cli):
    for command in ("run", "inspect"):
        text = " ".join(cli(command, "--help")[1].split())
        for field in fields(RunSpec):
            assert f"--{field.name.replace('_', '-')} " in text
            assert field.metadata["help"].split(":")[0] in text
            assert all(choice in text for choice in field.metadata["choices"])


@pytest.mark.parametrize(
    ("given", "moved"),
    [
        ("runs list --db a", "--db a runs list"),
        ("runs list --db=a --format json", "--db=a runs list --format json"),
        ("run --data-dir d --init nfm --db a", "--data-dir d --db a run --init nfm"),
        ("run -- --db a", "run -- --db a"),
        ("runs list", "runs list"),
    ],
)
def test_global_options_may_stand_anywhere(given, moved):
    assert globals_first(given.split()) == moved.split()


def test_a_global_option_without_a_value():
    with pytest.raises(RequestError, match="'--db' requires an argument"):
        globals_first(["run", "--db"])


def test_data_sets_are_listed(cli, tmp_path):
    status, out, _ = cli("datasets", "list", "--data-dir", tmp_path / "data", "--format", "csv")
    assert status == 0
    assert [line.split(",")[0] for line in io.StringIO(out)] == ["name", *DATASETS]


def test_what_needs_no_fetching_is_there(cli):
    assert cli("datasets", "fetch", "digits")[:2] == (0, "digits: scikit-learn\n")


def test_doctor_finds_all_well(cli):
    status, out, _ = cli("doctor")
    assert status == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("ok")][:3] == [
        "python",
        "torch",
        "device",
    ]
    assert "runs.db is made by the first run" in out


def test_doctor_names_a_broken_store(cli, tmp_path):
    (tmp_path / "runs.db").write_bytes(b"no database" * 500)
    status, out, _ = cli("doctor")
    assert status == 1
    [line] = [line for line in out.splitlines() if line.startswith("broken")]
    assert "runs.db" in line
