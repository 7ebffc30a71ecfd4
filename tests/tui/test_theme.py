"""The colours of words can be read on the ground of either theme."""

import pytest

from agopconsole.analysis.colours import WARNING, luminance
from agopconsole.tui.theme import CAUTION, DARK, GOOD, LIGHT


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("colour", [GOOD, CAUTION, WARNING])
def test_a_word_in_colour_stands_out_from_the_ground_of_either_theme(theme, colour):
    darker, lighter = sorted((luminance(colour), luminance(theme.background)))
    assert (lighter + 0.05) / (darker + 0.05) >= 3  # WCAG 2.2, 1.4.11
