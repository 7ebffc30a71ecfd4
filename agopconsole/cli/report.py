"""`agopconsole report`: the tables that compare the methods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agopconsole.cli.output import STANDARD_OUTPUT, note, out_look, print_text
from agopconsole.cli.settings import settings_of

ReportFormat = Annotated[
    Literal["table", "json", "csv", "markdown", "latex"], typer.Option("--format", help="how to print it")
]


def report(
    context: typer.Context,
    study: Annotated[
        str | None, typer.Option(metavar="TEXT", help="its name, or all (default: the study touched last)")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="test_accuracy (the default where all runs have one), best_val_accuracy, final_val_accuracy,"
            " loss_gap, poster_loss_gap, accuracy_area, epochs_to:70, seconds",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="the method to compare with (default: the one that the study names, else kaiming_uniform)",
        ),
    ] = None,
    against: Annotated[str | None, typer.Option(metavar="TEXT", help="poster: its published numbers too")] = None,
    why: Annotated[bool, typer.Option("--why", help="how the runs started too, beside what came of it")] = False,
    output_format: ReportFormat = "table",
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="draw it too, as .png, .svg or .pdf (needs the extra 'figures')"),
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="write it there, not to the terminal")] = None,
) -> None:
    """Compare methods: means over seeds, differences."""
    from agopconsole.analysis.export import check_file
    from agopconsole.analysis.figures import check_figure, save_figure
    from agopconsole.analysis.report import build_report
    from agopconsole.analysis.report_text import render_report

    to_output = output is None or str(output) == STANDARD_OUTPUT
    if output is not None and not to_output:
        check_file(output, "--output")
    if figure is not None:
        check_figure(figure)
        check_file(figure, "--figure")
    with settings_of(context).store() as store:
        built = build_report(store, study=study, metric=metric, baseline=baseline, against=against)
        if figure is not None:
            save_figure(store, built, figure)
            note(f"drawn to {figure}")
    if output is None or to_output:
        print_text(render_report(built, output_format, out_look(), why=why))
    else:
        output.write_text(render_report(built, output_format, why=why) + "\n", encoding="utf-8")
        note(f"written to {output}")
