"""What the README tells people to type works."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.stored_runs import add_done

from agopconsole.analysis.report import build_report
from agopconsole.analysis.report_text import render_report
from agopconsole.cli.app import app
from agopconsole.store import Store
from agopconsole.study import read_study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    rank, correlation = capsys.readouterr().out.split()
    assert int(rank) >= 1
    assert -1 <= float(correlation) <= 1


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.stem)
def test_every_study_at_hand_can_be_read(path):
    assert len(read_study(path).runs) >= 10


def test_files_and_commands_it_names_exist():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    names |= {group.name for group in app.registered_groups}
    block = re.search(r"## Commands\n\n```\n(.*?)```", README, re.DOTALL)[1]
    typed = {shlex.split(line.split("   ")[0])[1] for line in block.splitlines()}
    assert typed == names
    for path in re.findall(r"configs/\w+\.toml|docs/\w+\.svg|requirements[\w-]*\.txt", README):
        assert (ROOT / path).is_file()


def shown(report) -> list[str]:
    return [line for line in render_report(report, "markdown").splitlines() if line.startswith("|")]


def test_the_shipped_store_is_of_this_version_and_holds_the_tables_that_are_shown(tmp_path):
    shipped = shutil.copy(ROOT / "runs.db", tmp_path)
    with Store(Path(shipped)) as store:
        small = build_report(store, study="cifar10", against="poster")
        large = build_report(store, study="cifar10_10k")
        whole = build_report(store, study="cifar10_whole", against="poster")
    assert list(tmp_path.glob("*.bak")) == []
    for report in (small, whole):
        assert "\n".join(shown(report)) in README
    section = README.partition("### Twice the pictures")[2].partition("\n##")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 10
    assert set(rows) <= set(shown(large))


def verdicts(store: Path) -> str:
    command = [sys.executable, str(ROOT / "benchmarks" / "verdicts.py"), str(store)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_verdicts_that_it_counts_are_those_that_its_command_counts_whatever_is_trained_later(tmp_path):
    table = verdicts(ROOT / "runs.db")
    assert len(table.splitlines()) == 11
    assert table in README
    used = Path(shutil.copy(ROOT / "runs.db", tmp_path))
    with Store(used) as store:
        measured = next(run.id for run in store.runs() if store.start(run.id))
        add_done(store, 50.0, start=store.start(measured))
    assert verdicts(used) == table
