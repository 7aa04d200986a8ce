"""What the commands about compiled pipelines share: a file that is one, and a trace as a report."""

from __future__ import annotations

from pathlib import Path

from kfp_release.errors import ReleaseError
from kfp_release.package_files._operators.pipeline import BadPipeline, Pipeline, read_pipeline
from kfp_release.package_files._operators.trace_text import HEADINGS, notes, row, totals
from kfp_release.package_files._operators.tracing import Trace
from kfp_release.report import Report, Table


def pipeline_of(path: Path) -> Pipeline:
    """Raise `ReleaseError` unless the file at `path` is a compiled pipeline."""
    try:
        return read_pipeline(path)
    except BadPipeline as error:
        raise refused(error) from error


def refused(error: BadPipeline) -> ReleaseError:
    """The same error, as all others of the program."""
    return ReleaseError(str(error.args[0]), remedy=error.remedy)


def trace_report(found: Trace) -> Report:
    """A row a task."""
    table = Table.of(HEADINGS, [tuple(cell or "-" for cell in row(task)) for task in found.tasks])
    return Report(f"{found.pipeline}: {totals(found)}", (table,), tuple(notes(found)), good=found.is_good)
