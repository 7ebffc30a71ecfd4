"""`agopconsole maps`: what the layers of a source see in a photo, in the terminal, as a PNG or as tensors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agopconsole.cli.options import ConfigFile, Mirror, read_source_spec, takes_spec
from agopconsole.cli.output import note, out_look, print_text
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.cli.source_run import source_at_hand
from agopconsole.errors import RequestError, WorkError
from agopconsole.wording import counted

if TYPE_CHECKING:
    from PIL import Image

    from agopconsole.backend.maps import PhotoMaps

_TILE = 48
"""Pixels of the side of an eigenvector's picture."""

_WIDEST = 100
"""Columns of a terminal that a pair of maps takes at most."""


@takes_spec
def maps(
    context: typer.Context,
    given: dict[str, Any],
    photo: Annotated[Path, typer.Argument(help="a picture file")],
    size: Annotated[
        int, typer.Option("--size", metavar="PX", min=32, max=1024, help="what its shorter side becomes")
    ] = 224,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="the picture to write, .png, or the values, .safetensors [PHOTO-maps.png]"
        ),
    ] = None,
    config: ConfigFile = None,
    mirror: Mirror = None,
) -> int:
    """Show what a source sees in a photo. By the NFM and the AGOP of each of its convolutions."""
    from agopconsole.analysis.export import check_file
    from agopconsole.analysis.photo import open_photo
    from agopconsole.backend.maps import source_maps

    settings = settings_of(context)
    written = out or Path(f"{photo.stem}-maps.png")
    if written.suffix not in (".png", ".safetensors"):
        raise RequestError(f"--out '{out}' must end in .png or .safetensors")
    check_file(written, "--out")
    opened = open_photo(photo)
    spec = read_source_spec(config, given, "agop")
    source = source_at_hand(settings, spec, mirror)
    if source is None:
        return INTERRUPTED
    found = source_maps(spec, source.places, opened, size=size, report=note)
    if out_look().colour and out_look().unicode:
        _show(found)
    _write(found, written, photo)
    note(f"{written}: the photo and the maps of {counted(len(found.layers), 'layer')}")
    return 0


def _write(found: PhotoMaps, written: Path, photo: Path) -> None:
    """Writes the figure, or the values it is drawn of."""
    from agopconsole.backend.map_files import save_maps

    if written.suffix == ".safetensors":
        save_maps(written, found, photo)
        return
    try:
        _figure(found).save(written)
    except OSError as error:
        raise WorkError(f"{written} cannot be written: {error.strerror}") from None


def _figure(found: PhotoMaps) -> Image.Image:
    """Photo and layers from left to right, NFM above AGOP; below them the first layer's eigenvectors."""
    from agopconsole.analysis.pictures import filter_tiles, picture, sheet, stacked

    shown = picture(found.photo.numpy())
    rows: list[list[Image.Image | None]] = [
        [shown, *(picture(layer.nfm.numpy()) for layer in found.layers)],
        [None, *(picture(layer.agop.numpy()) for layer in found.layers)],
    ]
    whole = sheet(
        rows, shown.size, headings=["photo", *(layer.layer for layer in found.layers)], labels=["NFM", "AGOP^1/2"]
    )
    if not found.eigenvectors:
        return whole
    strips = [[filter_tiles(v.numpy(), columns=len(v), side=_TILE)] for v in found.eigenvectors.values()]
    labels = [f"{found.layers[0].layer}, eigenvectors of its {kind.upper()}" for kind in found.eigenvectors]
    return stacked(whole, sheet(strips, strips[0][0].size, labels=labels))


def _show(found: PhotoMaps) -> None:
    """The same in the terminal, a pair of maps a layer, as pictures where it can and in half blocks elsewhere."""
    from rich.console import Console
    from textual_image.renderable import Image as TerminalPicture

    from agopconsole.analysis.pictures import filter_tiles, picture, sheet

    console = Console(file=sys.stdout)
    width = min(console.width, _WIDEST)
    shown = picture(found.photo.numpy())
    pairs = [("photo", [shown])]
    for kind, vectors in found.eigenvectors.items():
        title = f"{found.layers[0].layer}: the first eigenvectors of its {kind.upper()}"
        pairs.append((title, [filter_tiles(vectors.numpy(), columns=len(vectors), side=_TILE)]))
    for layer in found.layers:
        title = f"{layer.layer}: NFM, AGOP^1/2"
        pairs.append((title, [picture(layer.nfm.numpy()), picture(layer.agop.numpy())]))
    for title, pictures in pairs:
        print_text(title)
        row = pictures[0] if len(pictures) == 1 else sheet([pictures], shown.size)
        console.print(TerminalPicture(row, width=width if len(pictures) > 1 else width // 2))
