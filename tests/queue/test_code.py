import json
import subprocess

import pytest

import agopconsole
from agopconsole.queue import requests
from agopconsole.queue.code import code_state
from agopconsole.spec import RunSpec
from agopconsole.store import Owner


@pytest.fixture
def package(tmp_path):
    """A package in a git checkout of its own."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("one = 1\n")
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"],
    ):
        subprocess.run(["git", "-C", folder, *arguments], check=True)
    return folder


def test_code_is_known_by_its_commit_and_by_what_differs_from_it(package):
    clean = json.loads(code_state(package))
    assert (clean["version"], len(clean["commit"]), clean["changes"]) == (agopconsole.__version__, 40, None)
    states = set()
    for text in ("one = 2\n", "one = 3\n"):
        (package / "__init__.py").write_text(text)
        states.add(json.loads(code_state(package))["changes"])
    assert len(states - {None}) == 2


def test_a_package_that_git_does_not_know_has_its_version_alone(package, monkeypatch):
    (package / "site").mkdir()
    (package / "site" / "__init__.py").touch()
    alone = {"version": agopconsole.__version__, "commit": None, "changes": None}
    assert json.loads(code_state(package / "site")) == alone
    monkeypatch.setenv("PATH", "")
    assert json.loads(code_state(package)) == alone


def test_code_that_changed_after_a_run_was_queued_is_reported(store):
    (run_id,) = requests.submit(store, [RunSpec.parse({})])
    run = store.claim(Owner("here", "boot", 1, 0.0))
    store.record_code(run, run.queued_code)
    assert store.logs(run_id) == []
    assert store.run(run_id).provenance()["code_when_queued"] is None
    store.record_code(run, json.dumps({"version": "other", "commit": "c", "changes": None}))
    assert [line.message for line in store.logs(run_id)] == ["the code has changed since the run was queued"]
    assert store.run(run_id).provenance()["commit"] == "c"
    assert store.run(run_id).provenance()["code_when_queued"] == run.queued_code
