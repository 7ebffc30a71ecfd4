"""The downloader against a server on this machine: what breaks off goes on, what is broken is no data."""

import hashlib
import random
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from helpers.file_server import FileServer, serving

from agopconsole.backend.data.download import download
from agopconsole.backend.data.part import Part
from agopconsole.backend.data.published import RemoteFile
from agopconsole.errors import RequestError, WorkError

CONTENT = random.Random(0).randbytes(100_000)
HALF = len(CONTENT) // 2


def remote(*urls: str, content: bytes = CONTENT) -> RemoteFile:
    md5 = hashlib.md5(content).hexdigest()
    return RemoteFile("set.tar.gz", md5, tuple(f"{url}/set.tar.gz" for url in urls))


def get(file: RemoteFile, folder: Path, mirror: str | None = None, tries: int = 3) -> tuple[Path, list[str]]:
    lines: list[str] = []
    return download(file, folder, mirror=mirror, report=lines.append, pauses=(0.0,) * tries), lines


def break_off(server: FileServer, folder: Path) -> None:
    """Fetches the first half of what the server has, and gives up."""
    server.cut_after = [HALF, 0, 0]
    with pytest.raises(WorkError, match=f"broke off .*; the {HALF:,} bytes that have arrived are kept"):
        get(remote(server.url), folder, tries=1)
    assert left(folder) == ["set.tar.gz.part", "set.tar.gz.part.json"]
    server.asked.clear()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_file_is_fetched_whole_and_nothing_else_is_left(tmp_path):
    with serving(CONTENT) as server:
        path, lines = get(remote(server.url), tmp_path / "new" / "data")
    assert path.read_bytes() == CONTENT
    assert left(path.parent) == ["set.tar.gz"]
    assert server.asked == [("/set.tar.gz", None)]
    assert lines == ["set.tar.gz: here, and its checksum is right"]


def test_a_file_that_is_there_is_not_asked_for(tmp_path):
    (tmp_path / "set.tar.gz").write_bytes(b"mine")
    with serving(CONTENT) as server:
        path, _ = get(remote(server.url), tmp_path)
    assert server.asked == []
    assert path.read_bytes() == b"mine"


def test_a_connection_that_breaks_off_goes_on_where_it_was(tmp_path):
    with serving(CONTENT, cut_after=[HALF, 1000]) as server:
        path, lines = get(remote(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
    assert f"set.tar.gz: going on at {HALF / 1e6:.1f} MB of 0.1 MB" in lines


def test_every_bit_of_progress_earns_new_tries(tmp_path):
    with serving(CONTENT, cut_after=[10_000] * 9) as server:
        path, _ = get(remote(server.url), tmp_path, tries=1)
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 10


def test_a_download_goes_on_another_day(tmp_path):
    with serving(CONTENT) as server:
        break_off(server, tmp_path)
        path, _ = get(remote(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [("/set.tar.gz", f"bytes={HALF}-")]
    assert left(tmp_path) == ["set.tar.gz"]


def test_a_part_goes_on_from_another_address(tmp_path):
    with serving(CONTENT) as server:
        break_off(server, tmp_path)
    with serving(CONTENT, etag='"another"') as mirror:
        path, _ = get(remote(server.url), tmp_path, mirror=mirror.url)
    assert path.read_bytes() == CONTENT
    assert mirror.asked == [("/set.tar.gz", f"bytes={HALF}-")]


def test_a_part_that_is_whole_is_checked_and_not_fetched_again(tmp_path):
    with serving(CONTENT) as server:
        break_off(server, tmp_path)
        (tmp_path / "set.tar.gz.part").write_bytes(CONTENT)
        path, _ = get(remote(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == []


def test_a_server_that_ignores_ranges_sends_the_file_from_its_start(tmp_path):
    with serving(CONTENT, cut_after=[HALF], ranges=False) as server:
        path, _ = get(remote(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked[-1][1] == f"bytes={HALF}-"


@pytest.mark.parametrize(
    ("old", "old_etag", "new_etag", "seen_at_once"),
    [
        pytest.param(b"x" * len(CONTENT), '"1"', '"2"', True, id="the server tells by the ETag"),
        pytest.param(b"x" * (len(CONTENT) + 1), None, None, True, id="the size tells"),
        pytest.param(b"x" * len(CONTENT), None, None, False, id="only the checksum tells"),
    ],
)
def test_a_part_of_a_file_that_has_changed_since_is_thrown_away(tmp_path, old, old_etag, new_etag, seen_at_once):
    with serving(old, etag=old_etag) as server:
        break_off(server, tmp_path)
        server.content, server.etag = CONTENT, new_etag
        path, lines = get(remote(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert any("its checksum is wrong" in line for line in lines) != seen_at_once
    assert left(tmp_path) == ["set.tar.gz"]


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path):
    (tmp_path / "set.tar.gz.part").write_bytes(CONTENT + b"more")
    with serving(CONTENT) as server:
        path, _ = get(remote(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [f"bytes={len(CONTENT) + 4}-", None]


def test_a_broken_file_is_never_taken_for_data(tmp_path):
    with (
        serving(CONTENT[:-1] + b"?") as server,
        pytest.raises(
            WorkError, match=r"set\.tar\.gz is broken or another file: its checksum is not the published one"
        ),
    ):
        get(remote(server.url), tmp_path)
    assert left(tmp_path) == []


def test_the_next_address_is_tried_where_one_fails(tmp_path):
    with serving(b"another file") as wrong, serving(CONTENT) as right:
        path, _ = get(remote(wrong.url, right.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert len(wrong.asked) == 1


def test_an_answer_that_may_pass_is_waited_out(tmp_path):
    with serving(CONTENT, answers=[503, 429]) as server:
        path, lines = get(remote(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert sum("trying again" in line for line in lines) == 2


def test_tries_come_to_an_end(tmp_path):
    with serving(CONTENT, answers=[503] * 9) as server, pytest.raises(WorkError, match="answers 503"):
        get(remote(server.url), tmp_path, tries=3)
    assert len(server.asked) == 4


def test_a_file_that_the_server_does_not_have_is_not_asked_for_twice(tmp_path):
    with (
        serving(CONTENT, answers=[404]) as server,
        pytest.raises(WorkError, match=r"set\.tar\.gz answers 404 Not Found"),
    ):
        get(remote(server.url), tmp_path)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    with serving(CONTENT) as server:
        url = server.url
    with pytest.raises(WorkError, match=r"127\.0\.0\.1:\d+ cannot be reached \(Connection refused\)$"):
        get(remote(url), tmp_path)


def test_a_mirror_takes_the_place_of_the_published_address(tmp_path):
    with serving(b"published") as published, serving(CONTENT) as mirror:
        path, _ = get(remote(published.url), tmp_path, mirror=f"{mirror.url}/some/folder/")
    assert path.read_bytes() == CONTENT
    assert published.asked == []
    assert mirror.asked == [("/some/folder/set.tar.gz", None)]


@pytest.mark.parametrize("as_address", [False, True])
def test_a_mirror_may_be_a_folder(tmp_path, as_address):
    stick = tmp_path / "my stick"
    stick.mkdir()
    (stick / "set.tar.gz").write_bytes(CONTENT)
    path, _ = get(remote(), tmp_path / "data", mirror=stick.as_uri() if as_address else str(stick))
    assert path.read_bytes() == CONTENT


def test_a_mirror_folder_without_the_file_or_with_a_broken_one_is_an_error(tmp_path):
    with pytest.raises(WorkError, match=r"there is no file .*stick/set\.tar\.gz"):
        get(remote(), tmp_path / "data", mirror=str(tmp_path / "stick"))
    (tmp_path / "set.tar.gz").write_bytes(CONTENT[:HALF])
    with pytest.raises(WorkError, match="is broken or another file"):
        get(remote(), tmp_path / "data", mirror=str(tmp_path))
    assert left(tmp_path / "data") == []


def test_a_mirror_of_another_kind_is_a_wrong_request(tmp_path):
    with pytest.raises(RequestError, match="'ftp://host/data' must be an http, https or file address, or a folder"):
        get(remote(), tmp_path, mirror="ftp://host/data")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with serving(CONTENT) as server, pytest.raises(WorkError, match=r"file/data/set\.tar\.gz cannot be written"):
        get(remote(server.url), tmp_path / "file" / "data")


def test_a_full_disk_is_one_line_and_no_reason_to_try_again(tmp_path, monkeypatch):
    def refuse(part, url, validator, total):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Part, "remember", refuse)
    with (
        serving(CONTENT) as server,
        pytest.raises(WorkError, match=r"set\.tar\.gz\.part cannot be written: No space left on device$"),
    ):
        get(remote(server.url), tmp_path)
    assert len(server.asked) == 1


def test_who_comes_second_waits_and_finds_the_file(tmp_path):
    lines: list[str] = []
    waiting = threading.Event()

    def report(line: str) -> None:
        lines.append(line)
        waiting.set()

    with serving(b"not to be asked for") as server:
        file = remote(server.url)
        with FileLock(tmp_path / ".set.tar.gz.lock"):
            second = threading.Thread(
                target=download, args=(file, tmp_path), kwargs={"mirror": None, "report": report}
            )
            second.start()
            assert waiting.wait(5)
            (tmp_path / "set.tar.gz").write_bytes(CONTENT)
        second.join(5)
    assert lines == ["set.tar.gz: another process is fetching it; waiting"]
    assert server.asked == []


def test_two_at_once_do_not_spoil_each_other(tmp_path):
    with serving(CONTENT) as server:
        threads = [threading.Thread(target=get, args=(remote(server.url), tmp_path)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert (tmp_path / "set.tar.gz").read_bytes() == CONTENT
    assert len(server.asked) == 1
