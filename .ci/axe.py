"""Install axe-core as locks/axe says, unless it is there, and print the path of its script, which a browser runs.

.venv/bin/python .ci/axe.py
"""

from pathlib import Path

import npm_lock  # the script beside this one


def installed() -> Path:
    """Where the script is."""
    return npm_lock.installed("axe", "axe-core/axe.min.js")


if __name__ == "__main__":
    print(installed())
