"""How a run of the shell script ended, from what it printed."""

from __future__ import annotations

import re
from typing import Final

from bench.child import Ran

_STEP: Final = re.compile(r"^step: (.+)$", re.MULTILINE)
"""As ``bench/baseline.sh`` tells on stdout and stderr what it begins."""
_VERIFY: Final = "verify"
_COLOR: Final = re.compile(r"\x1b\[[0-9;]*m")
_ERROR: Final = re.compile(r"^.*error.*(?:\n[ \t]+\S.*)*", re.IGNORECASE | re.MULTILINE)


def ending(ran: Ran) -> str:
    """The exit code, the last step, the last line that tells an error, and whether the script verified; or nothing.

    Nothing is told of a run that ended with 0.
    """
    if not ran.code:
        return ""
    steps = _STEP.findall(ran.errors)
    where = f' in its step "{steps[-1]}"' if steps else ""
    line = _last_error(_STEP.split(ran.errors)[-1]) or _last_error(_STEP.split(ran.stdout)[-1])
    said = f": `{line}`" if line else ""
    verified = "" if _VERIFY in steps else "; it stopped before its own verification, so its time has none"
    return f"ended with exit code {ran.code}{where}{said}{verified}"


def _last_error(text: str) -> str:
    """With what is indented below it, as one line that fits between backticks.

    twine colours its errors, wraps them, and prints them to stdout.
    """
    found = list(_ERROR.finditer(_COLOR.sub("", text).replace("`", "'")))
    return " ".join(found[-1][0].split()) if found else ""
