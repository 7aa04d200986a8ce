"""Find a browser of Chromium's kind for the tests, or install Debian's, and print the path of its program.

    .venv/bin/python .ci/browser.py

Ubuntu has no such package, but GitHub's machines have Chrome.
"""

import sys
from pathlib import Path

from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.progress import Progress
from kfp_release.sandbox.packages import ensure
from kfp_release.sandbox.privilege import find

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")


def installed(progress: Progress) -> Path:
    """Where the program is. Raise `ReleaseError` where there is none, and none can be installed."""
    for name in NAMES:
        if program := find(name):
            return program
    ensure(NAMES[0], progress=progress)
    return find(NAMES[0]) or Path(NAMES[0])


if __name__ == "__main__":
    try:
        with Console() as console:
            print(installed(console))
    except ReleaseError as error:
        sys.exit(f"error: {error}")
