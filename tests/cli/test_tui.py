from helpers.stored_runs import add_done
from helpers.terminal import Terminal


def test_the_console_opens_on_the_store_and_q_closes_it(store, tmp_path):
    add_done(store, 80.0, study="a-study")
    terminal = Terminal(["tui"], tmp_path)
    terminal.read_until(lambda: "a-study" in terminal.text)
    terminal.press(b"q")
    assert terminal.finish() == 0


def test_a_store_that_is_not_there_is_said_before_the_screen_is_taken(tmp_path):
    terminal = Terminal(["tui"], tmp_path)
    assert terminal.finish() == 2
    assert "agopconsole: error: there is no store at runs.db" in terminal.text
    assert "\x1b[?1049h" not in terminal.text
