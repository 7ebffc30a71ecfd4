"""Numbers of things in words, and that no sentence makes a plural of its own."""

import re
from pathlib import Path

import pytest

import agopconsole
from agopconsole.wording import counted, printable

ROOT = Path(agopconsole.__file__).parent

BY_HAND = re.compile(r"[a-z]\((?:s|es)\)|'s' \*|\"s\" \*")


@pytest.mark.parametrize(
    ("count", "what", "words"),
    [
        (0, "run", "0 runs"),
        (1, "run", "1 run"),
        (2, "run", "2 runs"),
        (1, "class", "1 class"),
        (3, "class", "3 classes"),
        (2, "class folder", "2 class folders"),
        (12000, "run", "12,000 runs"),
        (2, "search", "2 searches"),
        (2, "study", "2 studies"),
        (2, "key", "2 keys"),
        (2, "matrix", "2 matrices"),
    ],
)
def test_one_is_singular_and_all_else_plural(count, what, words):
    assert counted(count, what) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("é ± Δ\u00a0数 🧠", "é ± Δ\u00a0数 🧠"),
        ("a\x1b[2Jb\x07\r", "a\ufffd[2Jb\ufffd\ufffd"),
        ("two\n\tlines", "two\n\tlines"),
    ],
)
def test_what_is_printed_gives_a_terminal_no_orders(text, shown):
    assert printable(text) == shown


def test_no_sentence_makes_a_plural_of_its_own():
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in ROOT.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if BY_HAND.search(line) and path.name != "wording.py"
    ]
    assert found == []
