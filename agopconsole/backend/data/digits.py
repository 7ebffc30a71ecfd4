"""scikit-learn's digits: 1,797 handwritten digits of 8x8 pixels that come with the library, so are always there."""

from __future__ import annotations

import numpy as np
import torch

from agopconsole.backend.data.dataset import Dataset, Images
from agopconsole.catalogue import DATASETS


def load_digits() -> Dataset:
    """The digits; the last 360 are the test split, as in scikit-learn's own unshuffled example."""
    from sklearn import datasets  # takes seconds, which the other data sets need not wait for

    values, digits = datasets.load_digits(return_X_y=True)
    pixels = torch.from_numpy(np.rint(values * (255 / 16)).astype(np.uint8)).reshape(-1, 1, 8, 8)
    labels = torch.from_numpy(digits.astype(np.int64))
    cut = DATASETS["digits"].train
    return Dataset(
        name="digits",
        classes=tuple("0123456789"),
        train=Images(pixels[:cut], labels[:cut]),
        test=Images(pixels[cut:], labels[cut:]),
        origin="built into scikit-learn",
    )
