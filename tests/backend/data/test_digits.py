"""scikit-learn's digits, which need no file."""

import numpy as np
from sklearn.datasets import load_digits as sklearn_digits

from agopconsole.backend.data import load_dataset


def test_digits_are_scikit_learns_in_their_order_with_the_last_360_as_the_test_split(tmp_path):
    dataset = load_dataset("digits", tmp_path / "not made", image_size=32)
    bunch = sklearn_digits()
    assert dataset.classes == tuple("0123456789")
    assert dataset.train.pixels.shape == (1437, 1, 8, 8)
    assert dataset.test.pixels.shape == (360, 1, 8, 8)
    assert dataset.train.labels.tolist() == bunch.target[:1437].tolist()
    assert dataset.test.labels.tolist() == bunch.target[1437:].tolist()
    back = np.concatenate([dataset.train.pixels, dataset.test.pixels])[:, 0].astype(float) * 16 / 255
    np.testing.assert_allclose(back, bunch.images, atol=16 / 255 / 2)
    assert dataset.train.pixels.max() == 255
    assert dataset.origin == "built into scikit-learn"
    assert not (tmp_path / "not made").exists()
