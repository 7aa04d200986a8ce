"""What a release is put through: killed, raced, cut off; and what is public afterwards, seen from outside.

``python -m chaos`` runs all parts, see `chaos.__main__`. None of this is in a wheel. It stands on what the tests stand
on: a repository's git, a relay, the processes of the machine.
"""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).resolve().parent.parent / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
