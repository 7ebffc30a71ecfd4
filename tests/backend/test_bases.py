import pytest
import torch

from agopconsole.backend import FeatureMatrix
from agopconsole.backend.bases import aligned, centred, procrustes, rotated


def matrix(r=5, channels=4, side=3, seed=0):
    factor = torch.randn(r, channels * side * side, generator=torch.Generator().manual_seed(seed))
    return FeatureMatrix(factor, (channels, side, side))


@pytest.mark.parametrize("r", [5, 50])
def test_a_rotated_matrix_has_the_spectrum_and_other_directions(r):
    before = matrix(r)
    after = rotated(before, torch.Generator().manual_seed(1))
    assert torch.allclose(
        torch.linalg.eigvalsh(after.dense().double()), torch.linalg.eigvalsh(before.dense().double()), atol=1e-3
    )
    assert (before.inner(after) / before.inner(before)) < 0.9
    assert after.patch_shape == before.patch_shape


def test_rotations_have_no_direction_of_their_own():
    """The mean of S over many rotations is its trace spread evenly: 400 draws, 5 deviations of the worst entry."""
    before = matrix(2, channels=3, side=1)
    draws = torch.stack([rotated(before, torch.Generator().manual_seed(i)).dense() for i in range(400)])
    even = torch.eye(3) * before.trace() / 3
    assert ((draws.mean(0) - even).abs() < 5 * draws.std(0) / 20).all()


def test_a_centred_matrix_is_blind_to_the_mean_patch():
    before, m = matrix(50), torch.arange(36.0)
    after = centred(before, m)
    projection = torch.eye(36) - torch.outer(m, m) / m.dot(m)
    assert torch.allclose(after.dense(), projection @ before.dense() @ projection, atol=1e-3)
    assert float(m @ after.dense() @ m) == pytest.approx(0, abs=1e-2)
    assert torch.equal(centred(before, torch.zeros(36)).factor, before.factor)


@pytest.mark.parametrize("r", [5, 50])
def test_a_centred_and_rotated_matrix_has_the_spectrum_of_the_centred_one_and_is_blind_to_the_mean_patch(r):
    before, m = matrix(r), torch.arange(1.0, 37.0)
    projection = torch.eye(36, dtype=torch.float64) - torch.outer(m, m).double() / m.double().dot(m.double())
    left = projection @ before.dense().double() @ projection
    after = rotated(centred(before, m), torch.Generator().manual_seed(1), m)
    dense = after.dense().double()
    assert torch.allclose(torch.linalg.eigvalsh(dense), torch.linalg.eigvalsh(left), atol=1e-3)
    assert float(m.double() @ dense @ m.double() / m.double().dot(m.double())) == pytest.approx(0, abs=1e-6)
    assert float((left * dense).sum() / (left * left).sum()) < 0.9
    assert after.patch_shape == before.patch_shape


def test_rotations_without_the_mean_patch_have_no_direction_of_their_own_in_what_is_left():
    """Over many of them the mean of S is its trace spread evenly over what is at right angles to the patch."""
    before, m = matrix(2, channels=4, side=1), torch.tensor([1.0, 2.0, 3.0, -1.0])
    left = centred(before, m)
    draws = torch.stack([rotated(left, torch.Generator().manual_seed(i), m).dense().double() for i in range(400)])
    projection = torch.eye(4, dtype=torch.float64) - torch.outer(m, m).double() / m.double().dot(m.double())
    even = projection * left.trace() / 3
    assert ((draws.mean(0) - even).abs() < 5 * draws.std(0) / 20 + 1e-6).all()


def test_without_a_mean_patch_centred_and_rotated_is_rotated():
    before, none = matrix(), torch.zeros(36)
    plain, turned = (rotated(before, torch.Generator().manual_seed(1), m) for m in (None, none))
    assert torch.equal(turned.factor, plain.factor)


def test_an_aligned_matrix_answers_to_turned_patches_as_the_source_to_its_own():
    source = matrix()
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(2))).Q
    theirs = torch.randn(10, 4, 3, 3, generator=torch.Generator().manual_seed(3))
    ours = torch.einsum("ij,nixy->njxy", turn, theirs)  # source = A new
    new = aligned(source, turn)
    assert torch.allclose(ours.flatten(1) @ new.factor.T, theirs.flatten(1) @ source.factor.T, atol=1e-4)


def test_procrustes_finds_a_permutation_of_channels():
    theirs = torch.randn(8, 5, 4, 4, generator=torch.Generator().manual_seed(4)) + 3
    order = torch.tensor([3, 0, 4, 1, 2])
    turn = procrustes(theirs, theirs[:, order])
    assert torch.allclose(turn, torch.eye(5)[:, order], atol=1e-4)
    assert torch.equal(procrustes(theirs, theirs), torch.eye(5))


def test_procrustes_is_the_best_of_all_turns():
    generator = torch.Generator().manual_seed(5)
    theirs, ours = (torch.randn(200, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    a, b = theirs - theirs.mean(0), ours - ours.mean(0)
    best = (a - b @ procrustes(theirs, ours).double().T).square().sum()
    for _ in range(200):
        other = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64)).Q
        assert (a - b @ other.T).square().sum() >= best - 1e-6
