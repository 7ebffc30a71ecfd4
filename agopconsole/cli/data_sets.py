"""`agopconsole datasets`: what is here, what can be had, and where it lies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from agopconsole import catalogue
from agopconsole.cli.options import Mirror, TableFormat
from agopconsole.cli.output import note, print_table, print_text
from agopconsole.cli.settings import settings_of
from agopconsole.errors import unknown_choice

app = typer.Typer(help="List and fetch data sets.", rich_markup_mode=None)


@app.command("list")
def list_data_sets(context: typer.Context, output_format: TableFormat = "table") -> None:
    """The data sets, and which are here. Where each lies, or would lie, too."""
    from agopconsole.analysis.tables import Column
    from agopconsole.backend.data import status

    columns = (
        Column("name", "name"),
        Column("state", "state"),
        Column("form", "form"),
        Column("classes", "classes", "right"),
        Column("train", "train", "right"),
        Column("test", "test", "right"),
        Column("location", "location"),
        Column("title", "what it is"),
    )
    print_table([asdict(row) for row in status(settings_of(context).data)], columns, output_format)


@app.command("fetch")
def fetch(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="the data sets")],
    mirror: Mirror = None,
) -> None:
    """Fetch data sets that are not here yet. A download that was cut short goes on where it stopped."""
    for name in names:
        if name not in catalogue.DATASETS:
            raise unknown_choice("data set", name, catalogue.DATASETS)
    from agopconsole.backend import data  # not before the request is known to be sound: it imports torch

    for name in names:
        location = data.fetch(name, settings_of(context).data, mirror=mirror, report=note)
        print_text(f"{name}: {location}")
