"""Components that are Python functions, of which ``kfp-release compile`` makes component files.

Pipelines use `operators`, which name the image of a release; these functions do not. The image has no kfp.
"""

from kfp import dsl

DEMO = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science-kubeflow/demo"
"""The image, by its repository alone: a release pins it."""


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def drop_missing(  # noqa: D417 - kfp reads the descriptions of outputs below Returns
    table: dsl.Input[dsl.Dataset],
    complete: dsl.Output[dsl.Dataset],
    dropped: dsl.OutputPath(int),  # type: ignore[valid-type]  # kfp's own form
    columns: str = "",
) -> dsl.ContainerSpec:
    """Drop the rows of a table that lack a value.

    Args:
        table: The table as CSV.
        columns: The columns that need a value, with commas between them; all of them where it is empty.

    Returns:
        complete: The table without those rows.
        dropped: How many rows were dropped.

    """
    return dsl.ContainerSpec(
        image=DEMO,
        command=["drop-missing"],
        args=[
            *("--table", table.path),
            *("--columns", columns),
            *("--complete", complete.path),
            *("--dropped", dropped),
            # Where to report the artifact: kfp puts the executor's input here.
            *("--executor-input", "{{$}}"),
        ],
    )
