"""Small networks: one with every awkward convolution in it, and transformers of torchvision."""

import torch
from torch import Tensor, nn
from torchvision.models import SwinTransformer, VisionTransformer


class OddNet(nn.Module):
    """Odd strides, paddings, dilations, kernels, groups, biases, in-place ReLUs and a batch norm; 5 outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(3, 6, (3, 5), stride=(2, 1), padding=(2, 1), dilation=(1, 2))
        self.grouped = nn.Conv2d(6, 8, 3, padding=1, groups=2, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.strided = nn.Conv2d(8, 9, 2, stride=3, dilation=2)
        self.relu = nn.ReLU(inplace=True)
        self.hidden = nn.Linear(9, 7)
        self.head = nn.Linear(7, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.wide(x))
        x = self.relu(self.norm(self.grouped(x)))
        x = self.relu(self.strided(x))
        return self.head(self.relu(self.hidden(x.mean((2, 3)))))


def odd_net(dtype: torch.dtype = torch.float64) -> OddNet:
    """An `OddNet` with fixed weights and running statistics that are not trivial."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = OddNet().double()
        net(torch.randn(16, 3, 13, 17, dtype=torch.float64))
    return net.to(dtype)


def some_images(n: int = 3, dtype: torch.dtype = torch.float64) -> Tensor:
    """Images for `OddNet`, shape (n, 3, 13, 17)."""
    return torch.randn(n, 3, 13, 17, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


def small_vit(heads: int = 2) -> VisionTransformer:
    """A ViT of two blocks, 16 wide, for 16 x 16 px, with 4 outputs and a head that is not torchvision's zeros."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = VisionTransformer(16, 8, 2, heads, 16, 24, num_classes=4)
        nn.init.normal_(net.heads.head.weight)
        return net.eval()


def small_swin() -> SwinTransformer:
    """A Swin of two blocks for 32 x 32 px, with windows of 4 x 4 tokens and 4 outputs."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SwinTransformer([4, 4], 16, [1, 1], [2, 2], [4, 4], num_classes=4).eval()
