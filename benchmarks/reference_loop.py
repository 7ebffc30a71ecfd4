"""The training loop of the source study, written after its description: what `training.py` measures ours against.

Pictures lie decoded in memory as PIL images; a DataLoader turns each into a tensor in the main process: Resize,
ToTensor, Normalize. SGD in float32; loss and accuracy are read after every batch and shown in a line that is redrawn.
"""

import sys
import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class PictureFolder(Dataset[tuple[Tensor, int]]):
    """Pictures as PIL images, and their classes."""

    def __init__(self, pixels: Tensor, labels: Tensor, transform: Callable[[Image.Image], Tensor]) -> None:
        self._pictures = [Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pixels]
        self._labels = labels.tolist()
        self._transform = transform

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """The picture as the network takes it, and its class."""
        return self._transform(self._pictures[index]), self._labels[index]


def step_seconds(model: nn.Module, pixels: Tensor, labels: Tensor, *, size: int, batch: int) -> list[float]:
    """Seconds of each step of one epoch, the loading of its batch included."""
    prepare = transforms.Compose(
        [transforms.Resize((size, size)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    loader = DataLoader(PictureFolder(pixels, labels, prepare), batch_size=batch, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    criterion = nn.CrossEntropyLoss()
    seconds, running, correct, seen = [], 0.0, 0, 0
    model.train()
    began = time.perf_counter()
    for images, truth in loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, truth)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(truth)
        correct += (outputs.argmax(1) == truth).sum().item()
        seen += len(truth)
        print(f"\rloss {running / seen:.4f}  accuracy {correct / seen:.4f}", end="", file=sys.stderr, flush=True)
        now = time.perf_counter()
        seconds.append(now - began)
        began = now
    print(file=sys.stderr)
    return seconds
