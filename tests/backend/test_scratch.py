"""Memory that is used again, and the products taken in it."""

import pytest
import torch

from agopconsole.backend.scratch import Scratch, outer_product


@pytest.mark.parametrize("shape", [(3, 5), (9000, 7), (50, 128), (200, 300)])
def test_the_outer_product_is_whole_and_symmetric(shape):
    rows = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    product = outer_product(rows)
    assert torch.allclose(product, rows.T @ rows, rtol=1e-12, atol=1e-10)
    assert torch.equal(product, product.T)


def test_a_name_holds_the_same_memory_again():
    scratch, like = Scratch(), torch.zeros(())
    first = scratch.take("a", (1000, 2), like)
    assert scratch.take("a", (3, 100), like).data_ptr() == first.data_ptr()
    assert scratch.take("b", (3, 100), like).data_ptr() != first.data_ptr()


def test_a_name_grows_and_changes_its_type():
    scratch = Scratch()
    scratch.take("a", (10,), torch.zeros(()))
    grown = scratch.take("a", (5000,), torch.zeros((), dtype=torch.float64)).fill_(1)
    assert grown.dtype == torch.float64
    assert grown.sum() == 5000
