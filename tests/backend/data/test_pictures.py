"""Batches: gathered, moved, mirrored, resized and normalised, against plain computations."""

import pytest
import torch
from torch.nn import functional

from agopconsole.backend.data import Images, Pictures, channel_statistics
from agopconsole.backend.data.pictures import augmented

MEAN, STD = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.25, 0.1])


def some(n: int = 6, channels: int = 3, size: int = 8, seed: int = 0) -> Images:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (n, channels, size, size), dtype=torch.uint8, generator=generator)
    return Images(pixels, torch.arange(n) % 4)


def fed(images: Images, size: int) -> Pictures:
    return Pictures(images, device="cpu", image_size=size, mean=MEAN, std=STD)


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    return (pixels.double() / 255 - MEAN.double().reshape(3, 1, 1)) / STD.double().reshape(3, 1, 1)


def test_a_batch_is_the_images_at_its_indices_normalised():
    images = some()
    batch, labels = fed(images, 8).batch(torch.tensor([4, 0, 4]))
    assert batch.dtype == torch.float32
    torch.testing.assert_close(batch.double(), normalised(images.pixels[[4, 0, 4]]), atol=1e-5, rtol=0)
    assert labels.tolist() == [0, 0, 0]
    assert labels.dtype == torch.int64


def test_grey_becomes_three_channels_of_the_same_pixels():
    images = some(channels=1)
    batch, _ = fed(images, 8).batch(torch.tensor([1]))
    assert batch.shape == (1, 3, 8, 8)
    torch.testing.assert_close(batch.double(), normalised(images.pixels[[1]].expand(1, 3, 8, 8)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [5, 8, 12, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_is_bilinear_and_antialiased(size, channels):
    images = some(channels=channels)
    expected = functional.interpolate(
        images.pixels.double(), (size, size), mode="bilinear", antialias=True, align_corners=False
    )
    batch, _ = fed(images, size).batch(torch.arange(6))
    torch.testing.assert_close(batch.double(), normalised(expected.expand(6, 3, size, size)), atol=1e-4, rtol=0)


def test_pictures_that_are_not_square_are_made_so():
    pixels = torch.arange(48, dtype=torch.uint8).reshape(1, 1, 4, 12)
    batch, _ = Pictures(
        Images(pixels, torch.zeros(1, dtype=torch.int64)),
        device="cpu",
        image_size=8,
        mean=torch.zeros(3),
        std=torch.ones(3) / 255,
    ).batch(torch.tensor([0]))
    expected = functional.interpolate(pixels.float(), (8, 8), mode="bilinear", antialias=True)
    torch.testing.assert_close(batch[:, :1], expected, atol=1e-3, rtol=0)


def test_shrinking_loses_no_light():
    checkered = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    checkered[..., ::2, ::2] = checkered[..., 1::2, 1::2] = 200
    grey = Pictures(
        Images(checkered, torch.zeros(1, dtype=torch.int64)),
        device="cpu",
        image_size=2,
        mean=torch.zeros(3),
        std=torch.ones(3) / 255,
    )
    batch, _ = grey.batch(torch.tensor([0]))
    torch.testing.assert_close(batch, torch.full((1, 3, 2, 2), 100.0), atol=8, rtol=0)


def test_batches_go_through_all_images_in_order():
    pictures = fed(some(7), 8)
    labels = [labels.tolist() for _, labels in pictures.batches(3)]
    assert labels == [[0, 1, 2], [3, 0, 1], [2]]
    chosen = [labels.tolist() for _, labels in pictures.batches(2, torch.tensor([6, 1, 3]))]
    assert chosen == [[2, 1], [3]]
    images = torch.cat([images for images, _ in pictures.batches(3)])
    assert torch.equal(images, pictures.batch(torch.arange(7))[0])
    assert len(pictures) == 7


def test_flipping_mirrors_about_half_of_the_pictures_and_leaves_the_rest():
    pixels = some(200).pixels
    out = augmented(pixels, shift=False, generator=torch.Generator().manual_seed(0))
    mirrored = (out == pixels.flip(3)).flatten(1).all(1)
    assert (mirrored | (out == pixels).flatten(1).all(1)).all()
    assert 70 < int(mirrored.sum()) < 130


def test_cropping_moves_by_up_to_an_eighth_over_black():
    pixels = some(300, size=16).pixels.clamp(min=1)
    out = augmented(pixels, shift=True, generator=torch.Generator().manual_seed(0))
    padded = functional.pad(pixels, (2, 2, 2, 2))
    places = set()
    for picture, moved in zip(padded, out, strict=True):
        matches = [
            (flip, y, x)
            for flip in (False, True)
            for y in range(5)
            for x in range(5)
            if torch.equal(moved, (picture.flip(2) if flip else picture)[:, y : y + 16, x : x + 16])
        ]
        assert len(matches) == 1
        places.add(matches[0])
    assert len(places) == 50


def test_the_same_generator_gives_the_same_batch_and_the_same_flips_with_and_without_crop():
    pictures = fed(some(64), 8)
    draws = [
        pictures.batch(torch.arange(64), augment="crop_flip", generator=torch.Generator().manual_seed(seed))[0]
        for seed in (5, 5, 6)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    bars = torch.zeros(64, 1, 16, 16, dtype=torch.uint8)
    bars[..., :8] = 255
    for shift in (False, True):
        out = augmented(bars, shift=shift, generator=torch.Generator().manual_seed(5))
        left = out[:, 0, 8, 4] > 0
        if not shift:
            expected = left
    assert torch.equal(left, expected)


def test_an_augmentation_without_a_generator_is_refused():
    with pytest.raises(ValueError, match="draws from a generator"):
        fed(some(), 8).batch(torch.tensor([0]), augment="flip")


def test_statistics_equal_a_plain_float64_computation():
    images = some(2500, size=4)
    indices = torch.randperm(2500, generator=torch.Generator().manual_seed(1))[:2100]
    mean, std = channel_statistics(images, indices)
    values = images.pixels[indices].double() / 255
    torch.testing.assert_close(mean.double(), values.mean((0, 2, 3)), atol=1e-7, rtol=0)
    torch.testing.assert_close(std.double(), values.std((0, 2, 3), correction=0), atol=1e-7, rtol=0)
    assert torch.equal(channel_statistics(images, indices.flip(0))[1], std)


def test_statistics_are_those_of_the_chosen_images_alone():
    pixels = torch.tensor([0, 255, 51, 51], dtype=torch.uint8).reshape(4, 1, 1, 1)
    mean, std = channel_statistics(Images(pixels, torch.zeros(4, dtype=torch.int64)), torch.tensor([0, 1]))
    assert mean.tolist() == [0.5] * 3
    assert std.tolist() == [0.5] * 3


def test_a_constant_channel_is_fed_as_zeros():
    images = Images(torch.full((3, 1, 2, 2), 77, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64))
    mean, std = channel_statistics(images, torch.arange(3))
    assert std.tolist() == [1.0] * 3
    batch, _ = Pictures(images, device="cpu", image_size=2, mean=mean, std=std).batch(torch.arange(3))
    torch.testing.assert_close(batch, torch.zeros(3, 3, 2, 2), atol=1e-6, rtol=0)


def test_normalised_with_its_own_statistics_a_set_has_mean_0_and_deviation_1():
    images = some(400)
    mean, std = channel_statistics(images, torch.arange(400))
    batch, _ = Pictures(images, device="cpu", image_size=8, mean=mean, std=std).batch(torch.arange(400))
    torch.testing.assert_close(batch.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(batch.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)
