"""A photo from a file, as a network is fed it: upright and in RGB."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from agopconsole.errors import RequestError


def open_photo(path: Path) -> Image.Image:
    """A picture in RGB, upright, over white where it is transparent.

    Raises:
        RequestError: if it is not there or no picture.
    """
    if path.is_dir():
        raise RequestError(f"{path} is a folder, no picture")
    try:
        with Image.open(path) as found:
            upright = ImageOps.exif_transpose(found).convert("RGBA")
    except FileNotFoundError:
        raise RequestError(f"there is no file {path}") from None
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        reason = (
            "no picture that can be read" if isinstance(error, UnidentifiedImageError) else f"no picture: {error}"
        )
        raise RequestError(f"{path} is {reason}") from None
    return Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
