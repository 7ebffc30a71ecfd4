"""The lines that say how far a download has come, on a clock of our own."""

from agopconsole.backend.data.progress import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_a_second_with_size_rate_share_and_time_left():
    clock, lines = Clock(), []
    progress = Progress("set.zip", 0, 400_000_000, lines.append, clock)
    for _ in range(4):
        clock.now += 0.5
        progress.add(1_000_000)
    assert lines == [
        "set.zip: 2.0 MB of 400.0 MB, 2.0 MB/s, 0 %, 3 min 19 s left",
        "set.zip: 4.0 MB of 400.0 MB, 2.0 MB/s, 1 %, 3 min 18 s left",
    ]


def test_what_was_there_before_counts_as_done_but_not_as_speed():
    clock, lines = Clock(), []
    progress = Progress("set.zip", 60_000_000, 162_000_000, lines.append, clock)
    clock.now = 2.0
    progress.add(2_000_000)
    assert lines == [
        "set.zip: going on at 60.0 MB of 162.0 MB",
        "set.zip: 62.0 MB of 162.0 MB, 1.0 MB/s, 38 %, 1 min 40 s left",
    ]


def test_a_crawling_download_says_so_in_hours():
    clock, lines = Clock(), []
    progress = Progress("set.zip", 0, 74_000_000, lines.append, clock)
    clock.now = 1.0
    progress.add(10_000)
    assert lines == ["set.zip: 0.0 MB of 74.0 MB, 0.0 MB/s, 0 %, 2 h 03 min left"]


def test_a_file_of_unknown_size_has_no_share():
    clock, lines = Clock(), []
    progress = Progress("set.zip", 0, None, lines.append, clock)
    clock.now = 2.0
    progress.add(3_000_000)
    assert lines == ["set.zip: 3.0 MB, 1.5 MB/s"]
