"""Arrays as pictures: which value is which colour, and which picture lies where."""

import numpy as np
from PIL import Image

from agopconsole.analysis.pictures import filter_tiles, picture, sheet, stacked


def test_values_are_greys_and_colours():
    assert picture(np.array([[0.0, 0.5], [1.0, 7.0]])).getpixel((1, 0)) == 128
    assert picture(np.array([[0.0, 0.5], [1.0, 7.0]])).getpixel((1, 1)) == 255
    coloured = np.zeros((3, 2, 4))
    coloured[2, 1, 3] = 1.0
    shown = picture(coloured)
    assert (shown.size, shown.getpixel((3, 1)), shown.getpixel((0, 0))) == ((4, 2), (0, 0, 255), (0, 0, 0))


def test_a_filter_is_grey_where_it_is_zero_and_scaled_to_its_own_largest_entry():
    filters = np.zeros((3, 3, 2, 2))
    filters[:, 0, 0, 0] = [4.0, -4.0, 0.1]
    tiles = filter_tiles(filters, columns=2, side=12)
    assert tiles.size == (25, 25)
    assert [tiles.getpixel(place)[0] for place in ((0, 0), (13, 0), (0, 13))] == [255, 0, 255]
    assert tiles.getpixel((11, 11)) == (128, 128, 128)


def test_pictures_lie_in_rows_and_columns_and_a_smaller_one_is_scaled_in_blocks():
    red, blue = Image.new("RGB", (2, 2), "red"), Image.new("RGB", (8, 8), "blue")
    whole = sheet([[red, blue], [None, red]], (8, 8))
    assert whole.getpixel((6 + 7, 6 + 7)) == (255, 0, 0)
    assert whole.getpixel((6 + 14, 6)) == (0, 0, 255)
    assert whole.getpixel((6, 6 + 14)) == (255, 255, 255)
    assert whole.getpixel((6 + 14, 6 + 14)) == (255, 0, 0)


def test_headings_and_labels_get_room():
    blue = Image.new("RGB", (8, 8), "blue")
    plain, named = sheet([[blue]], (8, 8)), sheet([[blue]], (8, 8), headings=["photo"], labels=["NFM"])
    assert named.width > plain.width
    assert named.height > plain.height
    assert named.getpixel((named.width - 7, named.height - 7)) == (0, 0, 255)
    both = stacked(plain, named)
    assert both.size == (named.width, plain.height + named.height)
    assert both.getpixel((6, 6)) == (0, 0, 255)
