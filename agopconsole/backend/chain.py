"""A network that is one straight line of layers, passed through by hand: forwards once, backwards for many outputs.

VGGs, AlexNet and plain `nn.Sequential`s are such lines. Autograd serves any network, but holds gradients whole, in
fresh memory; here they are made, used and forgotten in pieces, channels last, in memory that is used again, and 3 x 3
convolutions may go by Winograd's way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from typing import Protocol

import torch
from torch import Tensor, fx, nn
from torch.nn import functional, grad

from agopconsole.backend import winograd
from agopconsole.backend.scratch import Scratch, bytes_at_once

Record = Callable[[str, Tensor], None]
"""Takes a layer's name and gradients at its outputs, (k, n, *outputs) for k directions and n images."""


class Step(Protocol):
    """One or a few layers of the line."""

    name: str | None

    def forward(self, x: Tensor) -> Tensor:
        """The step's outputs for a batch (n, ...); keeps what `backward` needs."""
        ...

    def at_once(self, g: Tensor) -> int:
        """How many directions, of gradients `g` at the outputs, fit the memory of a piece."""
        ...

    def backward(self, g: Tensor, record: Record, *, further: bool) -> Tensor:
        """Gradients at the inputs, (k, n, ...), of gradients at the outputs `g`.

        Where no layer is left `further` down they are not needed, and what is returned has no meaning.
        """
        ...


class StraightLine:
    """A model's steps in order.

    Args:
        steps: as `straight_line` finds them.
    """

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """The model's outputs; keeps what `backward` needs."""
        x = images
        for step in self._steps:
            x = step.forward(x)
        return x

    @torch.no_grad()
    def backward(self, directions: Tensor, layers: Collection[str], record: Record) -> None:
        """Hands `record` the gradients at the outputs of the layers of those names.

        Args:
            directions: what the outputs are contracted with, (k, n, K).
            layers: names of Conv2d and Linear modules.
            record: gets each layer's gradients in pieces, some directions at a time. A piece is memory that the next
                one is written to, so nothing of it may be kept.
        """

        def wanted(name: str, delta: Tensor) -> None:
            if name in layers:
                record(name, delta)

        lowest = min((i for i, step in enumerate(self._steps) if step.name in layers), default=len(self._steps))

        def descend(i: int, g: Tensor) -> None:
            # A piece goes all the way down before the next one: no step's gradients are ever whole in memory.
            for some in torch.split(g, self._steps[i].at_once(g)):
                below = self._steps[i].backward(some, wanted, further=i > lowest)
                if i > lowest:
                    descend(i - 1, below)

        if lowest < len(self._steps):
            descend(len(self._steps) - 1, directions)


def straight_line(model: nn.Module, *, fast: bool = False, back_in: torch.dtype | None = None) -> StraightLine | None:
    """The model as a line, or None where it branches, uses a layer twice or cannot be traced by `torch.fx`.

    Args:
        model: in eval mode.
        fast: Winograd's way for the convolutions that `winograd.covers`, in place of the library's.
        back_in: type of the convolutions' products on the way back, where it is not the model's.
    """
    if any(module._forward_hooks or module._forward_pre_hooks for module in model.modules()):
        return None
    try:
        nodes = list(fx.symbolic_trace(model).graph.nodes)
    except Exception:  # noqa: BLE001 - a forward pass may be any code, and so may be what it raises under the tracer
        return None
    modules = dict(model.named_modules())
    calls: list[_Call] = []
    for before, node, after in zip(nodes, nodes[1:], nodes[2:], strict=False):
        whole_input = node.all_input_nodes == [before] and node.args[:1] == (before,)
        if not whole_input or list(node.users) != [after] or node.op == "get_attr":
            return None
        calls.append(_Call(node, modules))
    used = [id(call.module) for call in calls if isinstance(call.module, nn.Conv2d | nn.Linear)]
    inside = sum(isinstance(module, nn.Conv2d | nn.Linear) for module in model.modules())
    if not used or not len(used) == len(set(used)) == inside:
        return None
    return StraightLine(_steps(calls, fast=fast and back_in is None, back_in=back_in))


class _Call:
    """One node of the traced line, as a function of one tensor."""

    def __init__(self, node: fx.Node, modules: dict[str, nn.Module]) -> None:
        self.name = str(node.target) if node.op == "call_module" else None
        self.module = modules[self.name] if self.name is not None else None
        if self.module is not None:
            self.function: Callable[..., Tensor] = self.module
        elif node.op == "call_method":
            self.function = operator.methodcaller(str(node.target), *node.args[1:], **node.kwargs)
        else:
            target, arguments, options = node.target, node.args[1:], node.kwargs
            assert callable(target)
            self.function = lambda x: target(x, *arguments, **options)


def _steps(calls: list[_Call], *, fast: bool, back_in: torch.dtype | None) -> list[Step]:
    steps: list[Step] = []
    scratch = Scratch()
    while calls:
        call, calls = calls[0], calls[1:]
        if type(call.module) is nn.Conv2d:
            rectified = bool(calls) and type(calls[0].module) is nn.ReLU
            pooled = rectified and len(calls) > 1 and _halves(calls[1].module)
            calls = calls[rectified + pooled :]
            assert call.name is not None
            steps.append(
                _Convolution(
                    call.name,
                    call.module,
                    rectified=rectified,
                    pooled=pooled,
                    scratch=scratch,
                    fast=fast,
                    back_in=back_in,
                )
            )
        elif type(call.module) is nn.Linear:
            rectified = bool(calls) and type(calls[0].module) is nn.ReLU
            calls = calls[rectified:]
            assert call.name is not None
            steps.append(_Linear(call.name, call.module, rectified=rectified))
        elif type(call.module) not in (nn.Dropout, nn.Identity):  # which do nothing in eval mode
            steps.append(_Anything(call.function))
    return steps


def _halves(module: nn.Module | None) -> bool:
    """Whether this is a max-pooling of 2 x 2 windows that do not overlap."""
    if type(module) is not nn.MaxPool2d or module.ceil_mode or module.return_indices:
        return False
    pairs = (module.kernel_size, module.stride, module.padding, module.dilation)
    return all(pair in (size, (size, size)) for pair, size in zip(pairs, (2, 2, 0, 1), strict=True))


def _windows(maps: Tensor, h: int, w: int) -> Tensor:
    """Maps (..., height, width, c) as the windows of a 2 x 2 pooling, (..., h, 2, w, 2, c)."""
    s_row, s_column, s_channel = maps.stride()[-3:]
    strides = (*maps.stride()[:-3], 2 * s_row, s_row, 2 * s_column, s_column, s_channel)
    return maps.as_strided((*maps.shape[:-3], h, 2, w, 2, maps.shape[-1]), strides)


class _Convolution:
    """A convolution, with the ReLU and the 2 x 2 max-pooling behind it where there are any."""

    def __init__(
        self,
        name: str,
        conv: nn.Conv2d,
        *,
        rectified: bool,
        pooled: bool,
        scratch: Scratch,
        fast: bool,
        back_in: torch.dtype | None,
    ) -> None:
        self.name: str | None = name
        self._conv = conv
        self._back_in = back_in or conv.weight.dtype
        self._rectified = rectified
        self._pooled = pooled
        self._scratch = scratch
        self._fast = fast
        self._gradient: winograd.InputGradient | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Keeps where a gradient passes: 1 or 0 for each output of the convolution, channels last."""
        z: Tensor = self._conv(x.contiguous(memory_format=torch.channels_last))
        self._input_shape = x.shape[1:]
        if not self._rectified:
            self._passes = z.new_ones(1, dtype=self._back_in).expand(1, *z.shape[2:], z.shape[1])
            return z
        if not self._pooled:
            y = functional.relu(z)
            self._passes = (z > 0).to(self._back_in).movedim(1, -1)
            return y
        y, places = functional.max_pool2d(functional.relu(z), 2, return_indices=True)
        # One place in a window lets the gradient through: the first of its largest, if that is above zero.
        passes = functional.max_unpool2d((y > 0).to(y.dtype), places, [2, 2], output_size=list(z.shape[2:]))
        self._passes = passes.movedim(1, -1).to(self._back_in).contiguous()
        return y

    def at_once(self, g: Tensor) -> int:
        """So many that their gradients at the convolution's outputs are one piece."""
        return max(1, bytes_at_once(g.device) // (g.shape[1] * self._passes[0].numel() * g.element_size()))

    def backward(self, g: Tensor, record: Record, *, further: bool) -> Tensor:
        """The gradients at the inputs lie in memory that the next call writes to."""
        g = g.to(self._back_in).movedim(2, -1).contiguous()
        k, n = g.shape[:2]
        delta = self._through(g)
        record(str(self.name), delta.movedim(-1, 2))
        if not further:
            return g
        channels, height, width = self._input_shape
        below = self._scratch.take(f"below {self.name}", (k, n, height, width, channels), g)
        self._to_inputs(delta.flatten(0, 1), below.flatten(0, 1))
        return below.movedim(-1, 2)

    def _through(self, g: Tensor) -> Tensor:
        """Gradients at the convolution's outputs, channels last."""
        k, n, h, w, c = g.shape
        if not self._rectified:
            return g
        if not self._pooled:
            return torch.mul(g, self._passes, out=self._scratch.take("delta", (k, n, h, w, c), g))
        height, width = self._passes.shape[1:3]
        delta = self._scratch.take("delta", (k, n, height, width, c), g)
        if (height, width) != (2 * h, 2 * w):  # a row or a column that fills no window
            delta.zero_()
        below, passes = (_windows(t, h, w) for t in (delta, self._passes))
        torch.mul(g[:, :, :, None, :, None], passes, out=below)
        return delta

    def _to_inputs(self, delta: Tensor, out: Tensor) -> None:
        if not self._fast or not winograd.covers(self._conv, *delta.shape[1:3]):
            out.copy_(self._library_gradient(delta))
            return
        if self._gradient is None:
            self._gradient = winograd.InputGradient(self._conv, self._scratch)
        self._gradient(delta, out)

    def _library_gradient(self, delta: Tensor) -> Tensor:
        """The library's way, which serves every convolution."""
        shape = (len(delta), *self._input_shape)
        conv = self._conv
        if conv.padding_mode != "zeros" or isinstance(conv.padding, str):
            x = conv.weight.new_zeros(shape).requires_grad_()
            with torch.enable_grad():
                z = conv(x)
            (below,) = torch.autograd.grad(z, x, delta.movedim(-1, 1).to(z.dtype))
            return below.movedim(1, -1)
        # The library looks at the inputs, which are not there, and at the weight; one must say channels last.
        weight = conv.weight.detach().to(delta.dtype, memory_format=torch.channels_last)
        options = (conv.stride, conv.padding, conv.dilation, conv.groups)
        # torch.nn.grad has no annotations.
        g: Tensor = grad.conv2d_input(shape, weight, delta.movedim(-1, 1), *options)  # type: ignore[no-untyped-call]
        return g.movedim(1, -1)


class _Linear:
    """A linear layer, with the ReLU behind it where there is one."""

    def __init__(self, name: str, linear: nn.Linear, *, rectified: bool) -> None:
        self.name: str | None = name
        self._linear = linear
        self._rectified = rectified

    def forward(self, x: Tensor) -> Tensor:
        """Keeps where a gradient passes the ReLU."""
        z: Tensor = self._linear(x)
        if not self._rectified:
            return z
        self._passes = (z > 0).to(z.dtype)
        return functional.relu(z)

    def at_once(self, g: Tensor) -> int:
        """All, so that the weight is read once."""
        return len(g)

    def backward(self, g: Tensor, record: Record, *, further: bool) -> Tensor:
        """One product with the weight for all directions and images, in its type: to convert it would cost more."""
        weight = self._linear.weight.detach()
        delta = g.to(weight.dtype)
        delta = delta * self._passes if self._rectified else delta
        record(str(self.name), delta)
        return delta @ weight if further else delta


class _Anything:
    """Whatever else stands in the line: autograd's gradient of this one function."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self.name: str | None = None
        self._function = function

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the graph of this one step."""
        with torch.enable_grad():
            self._x = x.detach().requires_grad_()
            # A function that works in place gets a copy: no leaf may be written to.
            self._y = self._function(self._x.clone())
        return self._y.detach()

    def at_once(self, g: Tensor) -> int:
        """All."""
        return len(g)

    def backward(self, g: Tensor, record: Record, *, further: bool) -> Tensor:
        """One batched pass through the step's graph."""
        del record
        if not further:
            return g
        outer = g.to(self._y.dtype)
        (below,) = torch.autograd.grad(self._y, self._x, outer, is_grads_batched=True, retain_graph=True)
        return below
