from pathlib import Path

from agopconsole.queue.paths import located, portable
from agopconsole.spec import RunSpec


def test_paths_beside_the_store_move_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = RunSpec.parse({"init": "nfm", "source": "weights/a.pt", "dataset": "imagefolder:pictures"})
    kept = portable(spec, Path("runs.db"))
    assert (kept.source, kept.dataset) == ("weights/a.pt", "imagefolder:pictures")
    moved = located(kept, tmp_path / "elsewhere" / "runs.db")
    assert moved.source == str(tmp_path / "elsewhere" / "weights" / "a.pt")
    assert moved.dataset == f"imagefolder:{tmp_path / 'elsewhere' / 'pictures'}"


def test_other_paths_become_absolute(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    spec = RunSpec.parse({"init": "nfm", "source": "../a.pt", "dataset": "digits"})
    kept = portable(spec, tmp_path / "store" / "runs.db")
    assert kept.source == str(tmp_path / "a.pt")
    assert located(kept, tmp_path / "store" / "runs.db") == kept


def test_what_is_no_path_stays(tmp_path):
    for source in ("imagenet", "run:3", "dataset:digits:0-4"):
        spec = RunSpec.parse({"init": "nfm", "source": source})
        assert located(portable(spec, tmp_path / "runs.db"), tmp_path / "runs.db") == spec
