"""From picture files to one uint8 tensor, decoded by a pool of threads."""

from __future__ import annotations

import io
import os
import struct
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from agopconsole.backend.data.container import Container, PictureFile
from agopconsole.backend.data.dataset import Report
from agopconsole.errors import WorkError
from agopconsole.wording import counted

_CHUNK = 256
_REPORT_SECONDS = 2.0
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
"""What Pillow raises for a broken picture, by format."""


@dataclass(frozen=True, slots=True)
class Target:
    """What pictures are decoded to: squares of `size` pixels with one channel (grey) or three (RGB)."""

    size: int
    channels: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded pictures, uint8, shape (n, channels, size, size), and how many of them had another size before."""

    pixels: Tensor
    resized: int


def resized_words(resized: int, total: int, target: Target) -> str:
    """What the origin of a data set says of pictures that had another size; empty if none had."""
    if not resized:
        return ""
    return f", {resized:,} of {counted(total, 'picture')} resized to {target.size} px and cropped to squares"


def decode(container: Container, files: Sequence[PictureFile], target: Target, report: Report) -> Decoded:
    """Decodes the pictures in the order of `files`.

    A picture of another size is resized, its shorter side to the target's, and cropped around its centre.

    Raises:
        WorkError: naming the first picture that is broken.
    """
    pixels = np.empty((len(files), target.channels, target.size, target.size), np.uint8)

    def decode_chunk(start: int) -> int:
        resized = 0
        for i in range(start, min(start + _CHUNK, len(files))):
            name = files[i].name
            try:
                pixels[i], differed = _decode_one(container.read(name), target)
            except _BROKEN as error:
                # Pillow says of what it does not know only where in memory it lies.
                why = "its form is unknown" if isinstance(error, UnidentifiedImageError) else error
                raise WorkError(f"{container.where(name)} is no whole picture: {why}") from None
            resized += differed
        return resized

    resized, reported = 0, time.monotonic()
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for start, differed in zip(
            range(0, len(files), _CHUNK), pool.map(decode_chunk, range(0, len(files), _CHUNK)), strict=True
        ):
            resized += differed
            if time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                done = min(start + _CHUNK, len(files))
                report(f"{container.label}: {done:,} of {counted(len(files), 'picture')} decoded")
    finally:
        pool.shutdown(cancel_futures=True)
    return Decoded(torch.from_numpy(pixels), resized)


def _decode_one(data: bytes, target: Target) -> tuple[np.ndarray, bool]:
    """The pixels of one picture, shape (channels, size, size), and whether it had another size."""
    size = target.size
    with Image.open(io.BytesIO(data)) as opened:
        differs = opened.size != (size, size)
        if differs:
            # Lets a JPEG be decoded at a fraction of its size, never below twice the size it is wanted at.
            opened.draft(None, (2 * size, 2 * size))
        picture = _of_bytes(opened).convert("L" if target.channels == 1 else "RGB")
    if differs:
        width, height = picture.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        picture = picture.resize((size, size), Image.Resampling.BILINEAR, box=box)
    return np.asarray(picture).reshape(size, size, target.channels).transpose(2, 0, 1), differs


def _of_bytes(picture: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel: Pillow would clip 16 bits, not scale them."""
    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture, dtype=np.int32) >> 8).clip(0, 255).astype(np.uint8))
    return picture
