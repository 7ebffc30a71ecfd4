"""Patches of maps against torch's own unfolding, by a gather and by strides."""

import pytest
import torch
from torch.nn import functional

from agopconsole.backend.scratch import Scratch
from agopconsole.backend.unfold import unfold


@pytest.mark.parametrize("channels", [3, 80])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    ("kernel", "padding"), [((3, 3), (1, 1)), ((2, 3), (0, 2)), ((1, 1), (0, 0)), ((5, 4), (4, 3))]
)
def test_the_patches_are_those_that_torch_unfolds(channels, dtype, kernel, padding):
    scratch = Scratch()
    for seed, n in enumerate((3, 2)):  # the second time in memory that holds the first
        generator = torch.Generator().manual_seed(seed)
        maps = torch.randn(n, 5, 6, channels, dtype=torch.float64, generator=generator).to(dtype)
        found = unfold(maps, kernel, padding, scratch)
        columns = functional.unfold(maps.double().permute(0, 3, 1, 2), kernel, padding=padding)
        expected = columns.view(n, channels, kernel[0] * kernel[1], -1).permute(0, 3, 2, 1)
        assert torch.equal(found.double(), expected.reshape(found.shape))
