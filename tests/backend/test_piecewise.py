"""Convolutions in pieces, by minimal filtering and by patches, with and without pooling, against torch in float64."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from agopconsole.backend import library_products, patch_products, winograd_training
from agopconsole.backend.library_products import LibraryProducts, bfloat16_layout
from agopconsole.backend.patch_products import PatchProducts, suits
from agopconsole.backend.piecewise import convolve
from agopconsole.backend.pooling import largest, largest_and_place, spread
from agopconsole.backend.scratch import Scratch
from agopconsole.backend.tiled_maps import as_tiles, read_tiles, written_tiles
from agopconsole.backend.winograd_training import Filtering, tile_for


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def errors(way, maps, weight, bias, *, padding, tile, pool, dtype=torch.float64, of_maps=True):
    """Relative errors of the outputs and of each gradient."""
    plain = [t.clone().requires_grad_(of_maps or t is not maps) for t in (maps, weight, bias)]
    ours = [t.to(dtype, copy=True).requires_grad_(of_maps or t is not maps) for t in (maps, weight, bias)]
    expected = torch.conv2d(*plain, padding=padding)
    expected = functional.max_pool2d(expected, 2) if pool else expected
    layout = partial(way, padding=padding, tile=tile, scratch=Scratch())
    found = convolve(*ours, layout, pool=pool)
    delta = drawn(*expected.shape, seed=9)
    exact = torch.autograd.grad(expected, [t for t in plain if t.requires_grad], delta)
    gradients = torch.autograd.grad(found, [t for t in ours if t.requires_grad], delta.to(dtype))
    pairs = zip((found, *gradients), (expected, *exact), strict=True)
    return [float((a.detach().double() - b.detach()).norm() / b.detach().norm()) for a, b in pairs]


@pytest.mark.parametrize("in_one", [False, True])
@pytest.mark.parametrize(
    ("size", "padding", "tile", "pool"),
    [
        ((8, 8), (1, 1), 4, False),
        ((8, 8), (1, 1), 4, True),
        ((14, 10), (1, 1), 4, False),
        ((14, 10), (1, 1), 4, True),
        ((7, 9), (0, 2), 4, False),
        ((2, 2), (1, 1), 2, False),
        ((2, 2), (1, 1), 2, True),
        ((4, 6), (2, 1), 2, False),
        ((1, 6), (2, 2), 4, False),
        ((1, 1), (2, 2), 2, False),
    ],
)
def test_minimal_filtering_is_the_convolution_and_its_gradients(monkeypatch, size, padding, tile, pool, in_one):
    if not in_one:  # pieces of a few images, the last one smaller
        monkeypatch.setattr(winograd_training, "_BYTES_AT_ONCE", 1 << 14)
    maps, weight, bias = drawn(5, 6, *size), drawn(7, 6, 3, 3, seed=1), drawn(7, seed=2)
    assert max(errors(Filtering, maps, weight, bias, padding=padding, tile=tile, pool=pool)) < 1e-13


@pytest.mark.parametrize("tile", [2, 4])
def test_minimal_filtering_in_single_precision_stays_within_its_bound(tile):
    maps, weight, bias = drawn(4, 64, 8, 8), drawn(96, 64, 3, 3, seed=1), drawn(96, seed=2)
    found = errors(Filtering, maps, weight, bias, padding=(1, 1), tile=tile, pool=False, dtype=torch.float32)
    assert max(found) < 5e-6


@pytest.mark.parametrize(("pool", "tile"), [(False, 1), (True, 2)])
@pytest.mark.parametrize(("kernel", "padding"), [((3, 3), (1, 1)), ((1, 5), (0, 2))])
def test_products_with_patches_are_the_convolution_and_its_gradients(monkeypatch, kernel, padding, pool, tile):
    monkeypatch.setattr(patch_products, "_BYTES_AT_ONCE", 1 << 13)
    maps, weight, bias = drawn(5, 3, 8, 6), drawn(4, 3, *kernel, seed=1), drawn(4, seed=2)
    found = errors(PatchProducts, maps, weight, bias, padding=padding, tile=tile, pool=pool, of_maps=False)
    assert max(found) < 1e-13


@pytest.mark.parametrize(("pool", "tile"), [(False, 1), (True, 2)])
@pytest.mark.parametrize(("kernel", "padding"), [((3, 3), (1, 1)), ((3, 3), (0, 2)), ((1, 5), (0, 2))])
def test_products_with_patches_reach_the_maps_too(monkeypatch, kernel, padding, pool, tile):
    monkeypatch.setattr(patch_products, "_BYTES_AT_ONCE", 1 << 13)
    maps, weight, bias = drawn(5, 6, 8, 6), drawn(4, 6, *kernel, seed=1), drawn(4, seed=2)
    assert max(errors(PatchProducts, maps, weight, bias, padding=padding, tile=tile, pool=pool)) < 1e-13


@pytest.mark.parametrize(("side", "pool", "tile"), [(2, False, 1), (4, True, 2), (12, False, 1)])
def test_products_in_bfloat16_are_as_near_as_the_librarys(side, pool, tile):
    maps, weight, bias = drawn(16, 64, side, side), drawn(96, 64, 3, 3, seed=1), drawn(96, seed=2)
    # What bfloat16 itself does to the factors is not the way's fault.
    maps, weight, bias = (t.bfloat16().double() for t in (maps, weight, bias))
    ours = errors(PatchProducts, maps, weight, bias, padding=(1, 1), tile=tile, pool=pool, dtype=torch.bfloat16)
    assert max(ours) < (0.1 if pool else 5e-3)  # with pooling another pixel of a window may be the largest


def test_products_in_bfloat16_may_be_cut_into_columns(monkeypatch):
    monkeypatch.setattr(patch_products, "_COLUMNS_AT_ONCE", 36)
    maps, weight, bias = (
        t.bfloat16().double() for t in (drawn(4, 80, 4, 4), drawn(100, 80, 3, 3, seed=1), drawn(100, seed=2))
    )
    assert (
        max(errors(PatchProducts, maps, weight, bias, padding=(1, 1), tile=1, pool=False, dtype=torch.bfloat16))
        < 5e-3
    )


def test_without_gradients_the_outputs_are_the_same():
    maps, weight = drawn(3, 3, 8, 8), drawn(4, 3, 3, 3, seed=1)
    layout = partial(PatchProducts, padding=(1, 1), tile=2, scratch=Scratch())
    with torch.no_grad():
        quiet = convolve(maps, weight, None, layout, pool=True)
    assert torch.equal(quiet, convolve(maps, weight.requires_grad_(), None, layout, pool=True).detach())


def test_of_equal_values_the_first_is_the_largest_as_in_torch():
    maps = torch.randint(0, 3, (2, 3, 8, 8), generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    pooled = functional.max_pool2d(maps, 2)
    delta = drawn(*pooled.shape)
    (expected,) = torch.autograd.grad(pooled, maps, delta)
    tiles = as_tiles(maps.detach().permute(0, 2, 3, 1).contiguous(), 4)
    half = tiles[:2, :2]
    found, again, places = torch.empty_like(half), torch.empty_like(half), torch.empty_like(half, dtype=torch.uint8)
    largest_and_place(tiles, found, places)
    largest(tiles, again)
    assert torch.equal(found, again)
    back = torch.empty(2, 8, 8, 3, dtype=torch.float64)
    with written_tiles(back, tuple(tiles.shape)) as out:
        spread(read_tiles(delta.permute(0, 2, 3, 1).contiguous(), tuple(half.shape)), places, out)
    assert torch.equal(back.permute(0, 3, 1, 2), expected)


@pytest.mark.parametrize("size", [(8, 4), (7, 2)])
def test_maps_come_back_from_their_tiles_and_are_zero_beyond_their_edges(size):
    maps, shape = drawn(3, *size, 2), (4, 4, 3, 2, 1, 2)
    tiles = read_tiles(maps, shape)
    assert tuple(tiles.shape) == shape
    assert tiles.sum().item() == pytest.approx(maps.sum().item())
    assert torch.equal(tiles[3, 1, :, 0, 0], maps[:, 3, 1])
    back = torch.empty_like(maps)
    with written_tiles(back, shape) as out:
        out.copy_(tiles)
    assert torch.equal(back, maps)


def test_what_is_not_finite_is_not_pooled_away():
    tiles = torch.zeros(2, 2, 1)
    tiles[0, 1] = torch.nan
    found = torch.empty(1, 1, 1)
    largest_and_place(tiles, found, torch.empty(1, 1, 1, dtype=torch.uint8))
    assert found.isnan().all()


def test_tiles_are_chosen_where_they_pay():
    def tile(size: int, batch: int = 64, c_in: int = 128, c_out: int = 128, **options) -> int | None:
        conv = nn.Conv2d(c_in, c_out, 3, **{"padding": 1, **options})
        return tile_for(conv, torch.empty(batch, c_in, size, size, device="meta"))

    assert (tile(8), tile(14), tile(4), tile(2)) == (4, 4, 4, 2)
    assert tile(1) is None  # one tap of nine is not zero
    assert tile(4, batch=8) is None
    assert tile(8, c_in=64, c_out=64) is None
    assert tile(8, stride=2) is None


def test_patches_are_for_pictures():
    pictures = torch.empty(1, 3, 8, 8)
    assert suits(nn.Conv2d(3, 8, 3), pictures)
    assert not suits(nn.Conv2d(3, 8, 3), torch.empty(1, 3, 8, 8, requires_grad=True))
    others = nn.Conv2d(3, 8, 7), nn.Conv2d(3, 8, 3, stride=2), nn.Conv2d(3, 9, 3, groups=3)
    assert not any(suits(other, pictures) for other in others)


@pytest.mark.parametrize("patches", [False, True])
@pytest.mark.parametrize(("pool", "tile"), [(False, 1), (True, 2)])
@pytest.mark.parametrize(("kernel", "padding"), [((3, 3), (1, 1)), ((3, 3), (0, 2)), ((1, 5), (0, 2))])
def test_the_librarys_products_in_pieces_are_the_convolution_and_its_gradients(
    monkeypatch, kernel, padding, pool, tile, patches
):
    monkeypatch.setattr(library_products, "_BYTES_AT_ONCE", 1 << 12)
    maps, weight, bias = drawn(5, 6, 8, 6), drawn(4, 6, *kernel, seed=1), drawn(4, seed=2)
    way = partial(LibraryProducts, patches=patches)
    assert max(errors(way, maps, weight, bias, padding=padding, tile=tile, pool=pool)) < 1e-13
    found = errors(way, maps, weight, bias, padding=padding, tile=tile, pool=pool, of_maps=False)
    assert max(found) < 1e-13


@pytest.mark.parametrize("patches", [False, True])
def test_the_librarys_products_in_bfloat16_lose_nothing_between_pieces(monkeypatch, patches):
    maps, weight, bias = drawn(48, 64, 6, 6), drawn(96, 64, 3, 3, seed=1), drawn(96, seed=2)
    maps, weight, bias = (t.bfloat16().double() for t in (maps, weight, bias))

    def found(at_once: int) -> list[float]:
        monkeypatch.setattr(library_products, "_BYTES_AT_ONCE", at_once)
        way = partial(LibraryProducts, patches=patches)
        return errors(way, maps, weight, bias, padding=(1, 1), tile=1, pool=False, dtype=torch.bfloat16)

    assert max(found(1 << 12)) < 5e-3
    assert max(found(8 << 20)) < 5e-3


def test_in_bfloat16_the_way_goes_by_how_many_places_there_are_for_each_filter():
    def way(side: int, c_in: int = 512, c_out: int = 512, *, pool: bool = False, **options):
        conv = nn.Conv2d(c_in, c_out, 3, **{"padding": 1, **options})
        maps = torch.empty(64, c_in, side, side, dtype=torch.bfloat16, requires_grad=c_in != 3, device="meta")
        layout = bfloat16_layout(conv, maps, pool=pool, scratch=Scratch())
        return None if layout is None else (layout.func, layout.keywords.get("patches"))

    assert way(2) == way(4) == way(4, pool=True) == way(224, c_in=3, c_out=64, pool=True) == (PatchProducts, None)
    assert way(8) == way(8, pool=True) == (LibraryProducts, True)
    assert way(14, pool=True) == (LibraryProducts, False)
    assert way(14) is None
    others = ({"stride": 2}, {"dilation": 2}, {"groups": 2}, {"padding": 3}, {"padding_mode": "circular"})
    assert all(way(4, **options) is None for options in (*others, {"padding": "same"}))
