"""The training loop of the source study, written after its description: what `training.py` measures ours against.

Pictures lie decoded in memory as PIL images; a DataLoader turns each into a tensor: Resize, ToTensor, Normalize. SGD
in float32; loss and accuracy are read after every batch and shown in a line that is redrawn.
"""

import sys
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


def run_loop(
    model: nn.Module,
    pixels: Tensor,
    labels: Tensor,
    *,
    size: int,
    batch: int,
    workers: int,
    tick: Callable[[], object],
) -> None:
    """One epoch on the model's device; `tick` is called before every step and after the last."""
    device = next(model.parameters()).device
    prepare = transforms.Compose(
        [transforms.Resize((size, size)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    loader = DataLoader(
        PictureFolder(pixels, labels, prepare),
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        pin_memory=device.type == "cuda",
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    criterion = nn.CrossEntropyLoss()
    running, correct, seen = 0.0, 0, 0
    model.train()
    tick()
    for pictures, truths in loader:
        images, truth = pictures.to(device), truths.to(device)
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, truth)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(truth)
        correct += (outputs.argmax(1) == truth).sum().item()
        seen += len(truth)
        print(f"\rloss {running / seen:.4f}  accuracy {correct / seen:.4f}", end="", file=sys.stderr, flush=True)
        tick()
    print(file=sys.stderr)
