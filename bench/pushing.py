"""Push the image of a layout as `kfp-release` pushes a runtime, in a process of its own, and tell its peak memory.

python -m bench.pushing LAYOUT REPOSITORY
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bench.layers import NAME
from kfp_release.ecr import open_ecr
from kfp_release.image_ref import Repository
from kfp_release.layout import Layout
from kfp_release.progress import Silent
from kfp_release.upload import upload_blobs


def main() -> None:
    """Print the peak in KiB."""
    layout = Layout(Path(sys.argv[1]))
    store = open_ecr(Repository.parse(sys.argv[2]))
    store.create()
    image = layout.image(NAME)
    blobs = [layout.blob(descriptor) for descriptor in (*image.manifest.layers, image.manifest.config)]
    upload_blobs(store, blobs, progress=Silent())
    store.put(image.manifest, "1")
    # Of this program alone; getrusage's ru_maxrss has also that of the one that started it. proc(5).
    found = re.search(r"^VmHWM:\s+([0-9]+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise SystemExit("/proc/self/status has no VmHWM")
    print(found[1])


if __name__ == "__main__":
    main()
