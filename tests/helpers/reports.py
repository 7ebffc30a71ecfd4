"""Reports as the flat rows that JSON gives."""

from agopconsole.analysis.report import build_report


def rows_of(store, **options):
    return build_report(store, **options).row_dicts()


def row_of(store, init, **options):
    (row,) = [row for row in rows_of(store, **options) if row["init"] == init]
    return row
