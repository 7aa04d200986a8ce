"""Install pyright as locks/pyright says, unless it is there, and print the path of its program.

node "$(.venv/bin/python .ci/pyright.py)" --version
"""

from pathlib import Path

import npm_lock  # the script beside this one


def installed() -> Path:
    """Where its program is, for node to run."""
    return npm_lock.installed("pyright", "pyright/index.js")


if __name__ == "__main__":
    print(installed())
