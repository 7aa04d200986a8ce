"""The project beside the shell script that teams release with today, on one machine, in one run.

``python -m bench`` measures it, see `bench.__main__`. None of this is in a wheel. The relay that counts bytes is the
tests'.
"""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

_TESTS = str(PROJECT / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
