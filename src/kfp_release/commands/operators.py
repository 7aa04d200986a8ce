"""``kfp-release operators``."""

from __future__ import annotations

import click

from kfp_release.checkout_operators import CheckoutOperators
from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.report import Report


@click.command("operators")
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool) -> None:
    """Write the operators and their types into the checkout, for programs and editors that read the package there.

    Every wheel has them of itself. In a checkout they are the package's operators.py and operators.pyi, and what these
    need; `pip install -e .` writes them, and this does so again after component files have changed. They are no
    sources: git is to ignore them. A module of operators that a person wrote stays as it is.

    \b
    kfp-release operators
    kfp-release operators && mypy

    Exit codes: 0 done, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    operators = CheckoutOperators.read(invocation.project, invocation.config())
    changed = operators.write()
    told, left_out = ([operator.name for operator in each] for each in (operators.told, operators.left_out))
    seen = operators.seen_by_git
    notes = [f"git does not ignore it: add {', '.join(seen)} to .gitignore"] if seen else []
    if left_out:
        notes.append(f"left out, for Python cannot call it: {', '.join(left_out)}; kfp-release check says why")
    said = f"{'written' if changed else 'unchanged'}, {len(told)} operator{'' if len(told) == 1 else 's'}"
    value = {"path": operators.package, "changed": changed, "operators": told, "left_out": left_out}
    invocation.tell(Report(f"{operators.package}: {said}", notes=tuple(notes)), value, as_json=as_json)
