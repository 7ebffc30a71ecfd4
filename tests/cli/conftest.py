import pytest

from agopconsole.cli.entry import run


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder of this test: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    for name in ("AGOPCONSOLE_DB", "AGOPCONSOLE_DATA", "AGOPCONSOLE_MIRROR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def cli(*arguments):
        status = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return cli
