"""A photo from a file: upright, in RGB, over white, or refused in one line."""

import pytest
from PIL import Image

from agopconsole.analysis.photo import open_photo
from agopconsole.errors import RequestError


def test_a_photo_is_turned_upright_and_laid_over_white(tmp_path):
    picture = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was held upright
    picture.save(tmp_path / "photo.png", exif=exif)
    photo = open_photo(tmp_path / "photo.png")
    assert (photo.mode, photo.size, photo.getpixel((0, 0))) == ("RGB", (2, 4), (255, 255, 255))


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "photo.png").write_bytes(content)
    with pytest.raises(RequestError, match=r"photo.png is no picture") as refused:
        open_photo(tmp_path / "photo.png")
    assert "\n" not in str(refused.value)


def test_a_photo_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"there is no file .*gone\.png"):
        open_photo(tmp_path / "gone.png")
