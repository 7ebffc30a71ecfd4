import errno
from types import SimpleNamespace

import pytest

from agopconsole.backend import whole_files
from agopconsole.backend.whole_files import written_beside
from agopconsole.errors import WorkError


def test_a_file_appears_once_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file"
    with written_beside(path) as beside:
        beside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail_half_way():
        with written_beside(path) as beside:
            beside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def write(path, error, held=None):
    with written_beside(path) as beside:
        if held is not None:
            held.append(beside.open("wb", buffering=0))
            held[0].write(b"half")
        raise error


def test_a_full_disk_is_named_and_gets_its_room_back(tmp_path, monkeypatch):
    held = []  # as by a writer that lives on in the frames of its error
    monkeypatch.setattr(whole_files.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(WorkError, match=r"file cannot be written: there is no room left on the disk"):
        write(tmp_path / "file", RuntimeError("unexpected pos 768 vs 662"), held)
    with held[0] as file:
        assert whole_files.os.fstat(file.fileno()).st_size == 0
    assert not list(tmp_path.iterdir())


def test_a_disk_that_does_not_take_a_file_is_named(tmp_path):
    with pytest.raises(WorkError, match=r"file cannot be written: Read-only file system"):
        write(tmp_path / "file", OSError(errno.EROFS, "Read-only file system"))


def test_another_error_stays_what_it_is(tmp_path):
    with pytest.raises(RuntimeError, match="a bug"):
        write(tmp_path / "file", RuntimeError("a bug"))
