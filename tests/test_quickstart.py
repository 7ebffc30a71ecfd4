"""A cell of the shipped quickstart is trained, and once more by `runs verify`: the same numbers, bit for bit."""

from dataclasses import replace
from pathlib import Path

from agopconsole.backend.places import Places
from agopconsole.backend.run import execute
from agopconsole.cli.entry import run as command
from agopconsole.queue.identity import process_owner
from agopconsole.queue.job import record
from agopconsole.study import read_study

QUICKSTART = Path(__file__).parent.parent / "configs" / "quickstart.toml"


def test_a_cell_of_the_quickstart_gives_its_numbers_again(store, tmp_path, capsys):
    cells = {(cell.label, cell.seed): cell for cell in read_study(QUICKSTART).runs}
    # Its own network, images, optimiser and seed; an epoch of three steps, since thrice ten take ten seconds.
    [run_id] = store.add_runs([replace(cells["kaiming_uniform", 1], epochs=1, limit=96)])
    store.claim(process_owner())
    places = Places(store.run_files(run_id), store.files / "features", tmp_path / "data")
    places.run_files.mkdir(parents=True)
    for event in execute(store.run(run_id).request, places, should_stop=lambda: False, report=str):
        record(store, run_id, event)
    store.finish(run_id, "done")
    before = store.run(run_id)
    assert command(["--db", str(store.path), "--data-dir", str(tmp_path / "data"), "runs", "verify", "1"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("equal to the stored run, bit for bit, in its epoch and in its test accuracy")
    assert second == "trained as it was"
    assert store.run(run_id) == before
