from helpers.stored_runs import add_done
from helpers.terminal import Terminal

from agopconsole.store import Store


def test_the_console_opens_on_the_store_and_q_closes_it(store, tmp_path):
    add_done(store, 80.0, study="a-study")
    terminal = Terminal(["tui"], tmp_path)
    terminal.read_until(lambda: "a-study" in terminal.text)
    terminal.press(b"q")
    assert terminal.finish() == 0


def test_it_makes_a_store_where_there_is_none_and_says_what_to_press(tmp_path):
    terminal = Terminal(["tui"], tmp_path)
    terminal.read_until(lambda: "There are no runs in" in terminal.text)
    terminal.press(b"q")
    assert terminal.finish() == 0
    with Store(tmp_path / "runs.db") as store:
        assert store.runs() == []


def test_one_frame_makes_none(cli, tmp_path):
    status, _, err = cli("tui", "--once")
    assert status == 2
    assert "there is no store at runs.db" in err
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_made_is_said_before_the_screen_is_taken(tmp_path):
    terminal = Terminal(["--db", "nowhere/runs.db", "tui"], tmp_path)
    assert terminal.finish() == 2
    assert "agopconsole: error: there is no folder nowhere" in terminal.text
    assert "\x1b[?1049h" not in terminal.text
