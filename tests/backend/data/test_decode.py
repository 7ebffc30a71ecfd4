"""From picture files to pixels."""

import io

import numpy as np
import pytest
import torch
from helpers.dataset_files import jpeg, save_picture
from PIL import Image

from agopconsole.backend.data import decode
from agopconsole.backend.data.container import DiskFolder
from agopconsole.backend.data.decode import Decoded, Target
from agopconsole.errors import WorkError


def load(folder, target=Target(8, 3)) -> tuple[Decoded, list[str]]:  # noqa: B008
    lines: list[str] = []
    container = DiskFolder(folder)
    return decode.decode(container, container.pictures(""), target, lines.append), lines


def test_pictures_are_decoded_in_order_across_threads(tmp_path):
    for i in range(600):
        save_picture(tmp_path / f"{i:03}.png", (i % 256, i // 256, 7))
    pixels = load(tmp_path)[0].pixels
    assert pixels.shape == (600, 3, 8, 8)
    assert pixels.dtype == torch.uint8
    expected = [[i % 256, i // 256, 7] for i in range(600)]
    assert pixels[:, :, 2, 5].tolist() == expected


def test_rows_are_rows_and_columns_columns(tmp_path):
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[2, 5, 1] = 255
    Image.fromarray(picture).save(tmp_path / "a.png")
    assert load(tmp_path)[0].pixels.nonzero().tolist() == [[0, 1, 2, 5]]


@pytest.mark.parametrize(
    ("mode", "value"), [("L", 90), ("1", 255), ("P", 3), ("RGBA", (9, 8, 7, 255)), ("I;16", 25700)]
)
def test_every_kind_of_picture_becomes_rgb(tmp_path, mode, value):
    picture = Image.new(mode, (8, 8), value)
    if mode == "P":
        picture.putpalette([0, 0, 0] * 3 + [11, 22, 33])
    picture.save(tmp_path / "a.png")
    expected = {"L": [90] * 3, "1": [255] * 3, "P": [11, 22, 33], "RGBA": [9, 8, 7], "I;16": [100] * 3}[mode]
    assert load(tmp_path)[0].pixels[0, :, 4, 4].tolist() == expected


def test_a_grey_target_has_one_channel(tmp_path):
    save_picture(tmp_path / "a.png", (70, 70, 70))
    save_picture(tmp_path / "b.png", 80)
    pixels = load(tmp_path, Target(8, 1))[0].pixels
    assert pixels.shape == (2, 1, 8, 8)
    assert pixels[:, 0, 0, 0].tolist() == [70, 80]


def test_another_size_is_brought_to_the_shorter_side_and_cropped_around_the_centre(tmp_path):
    wide = np.zeros((16, 48, 3), np.uint8)
    wide[:, 16:32] = 200  # the middle third is what stays
    Image.fromarray(wide).save(tmp_path / "a.png")
    Image.fromarray(wide.transpose(1, 0, 2)).save(tmp_path / "b.png")
    save_picture(tmp_path / "c.png", (200, 200, 200))
    decoded, _ = load(tmp_path)
    assert decoded.resized == 2
    assert decoded.pixels[:, 0, 1:-1, 1:-1].unique().tolist() == [200]


def test_a_large_jpeg_is_shrunk_as_if_it_were_decoded_whole(tmp_path):
    ramp = np.linspace(0, 255, 512).astype(np.uint8)
    whole = Image.fromarray(np.broadcast_to(ramp[None, :, None], (512, 512, 3)).copy())
    whole.save(tmp_path / "a.jpg", quality=95)
    expected = np.asarray(whole.resize((8, 8), Image.Resampling.BILINEAR)).transpose(2, 0, 1).astype(int)
    assert np.abs(load(tmp_path)[0].pixels[0].numpy().astype(int) - expected).max() <= 3


def half_of(data: bytes) -> bytes:
    return data[: len(data) // 2]


def png_of(value: int) -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(value).integers(256, size=(64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [("b.jpg", half_of(jpeg((1, 2, 3)))), ("b.png", half_of(png_of(1))), ("b.jpg", b""), ("b.gif", b"not a picture")],
)
def test_a_broken_picture_is_named(tmp_path, name, content):
    save_picture(tmp_path / "data" / "a.png", 1)
    (tmp_path / "data" / name).write_bytes(content)
    with pytest.raises(WorkError, match=f"data/{name} is no whole picture"):
        load(tmp_path / "data")


def test_what_is_no_picture_is_said_in_words(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    with pytest.raises(WorkError, match=r"a\.png is no whole picture: its form is unknown$"):
        load(tmp_path)


def test_the_first_of_several_broken_pictures_is_the_one_named(tmp_path):
    for i in range(900):
        save_picture(tmp_path / f"{i:03}.png", 1)
    for i in (899, 700, 301):
        (tmp_path / f"{i}.png").write_bytes(b"broken")
    with pytest.raises(WorkError, match=r"301\.png is no whole picture"):
        load(tmp_path)


def test_long_work_reports_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "_REPORT_SECONDS", -1.0)
    for i in range(300):
        save_picture(tmp_path / "set" / f"{i:03}.png", 1)
    assert load(tmp_path / "set")[1] == [
        "set: 256 of 300 pictures decoded",
        "set: 300 of 300 pictures decoded",
    ]
