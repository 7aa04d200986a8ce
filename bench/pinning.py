"""Pin all component files of a folder, in a process of its own, and tell the CPU time of reading and pinning alone.

    python -m bench.pinning FOLDER REPOSITORY PIN [COPIES]

With COPIES the pinned files are written there, which may be FOLDER. The time begins when everything is imported, has
the files read, parsed and pinned, and ends before they are written.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from kfp_release.component import ComponentFile
from kfp_release.pinning import pin


def main() -> None:
    """Print the milliseconds."""
    folder, repository, text, *copies = sys.argv[1:]
    pins = {repository: text}
    began = time.process_time()
    files = {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.yaml"))}
    pinned = {name: pin(ComponentFile.parse(name, data), pins) for name, data in files.items()}
    print((time.process_time() - began) * 1000)
    for name, data in pinned.items() if copies else ():
        Path(copies[0], name).write_bytes(data)


if __name__ == "__main__":
    main()
