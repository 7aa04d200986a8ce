"""``kfp-release stubs``."""

from __future__ import annotations

import click

from kfp_release.checkout_stub import CheckoutStub
from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.report import Report


@click.command("stubs")
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool) -> None:
    """Write the types of the operators into the checkout, for editors and type checkers that read it there.

    Every wheel has them of itself. In a checkout they are operators.pyi and py.typed, beside the package's
    operators.py; `pip install -e .` writes them, and this does so again after component files have changed. They are no
    sources: git is to ignore them.

    \b
    kfp-release stubs
    kfp-release stubs && mypy

    Exit codes: 0 done, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    stub = CheckoutStub.read(invocation.project, invocation.config())
    changed = stub.write()
    told, left_out = ([operator.name for operator in each] for each in (stub.told, stub.left_out))
    notes = [] if stub.is_ignored else [f"git does not ignore it: add /{stub.path} and /{stub.mark} to .gitignore"]
    if left_out:
        notes.append(f"left out, for Python cannot call it: {', '.join(left_out)}; kfp-release check says why")
    said = f"{'written' if changed else 'unchanged'}, {len(told)} operator{'' if len(told) == 1 else 's'}"
    value = {"path": stub.path, "changed": changed, "operators": told, "left_out": left_out}
    invocation.tell(Report(f"{stub.path}: {said}", notes=tuple(notes)), value, as_json=as_json)
