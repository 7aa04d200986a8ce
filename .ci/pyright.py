"""Install pyright as locks/pyright says, unless it is there, and print the path of its program.

    node "$(.venv/bin/python .ci/pyright.py)" --version

It is an npm package, and npm asks the registry that it is set up for. It goes into build/pyright.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCKED = ("package.json", "package-lock.json")
NEEDS = "pyright needs node 14 or newer and npm: apt-get install nodejs npm"


def installed() -> Path:
    """Where its program is, for node to run. Two at a time wait for each other."""
    folder = PROJECT / "build" / "pyright"
    folder.mkdir(parents=True, exist_ok=True)
    program, done = folder / "node_modules/pyright/index.js", folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file() or done.read_bytes() != locked(LOCKED[1]) or not program.is_file():
            done.unlink(missing_ok=True)
            install(folder)
            done.write_bytes(locked(LOCKED[1]))
    return program


def locked(name: str) -> bytes:
    """One of the two files."""
    return (PROJECT / "locks" / "pyright" / name).read_bytes()


def install(folder: Path) -> None:
    """Fetch and unpack it; npm compares it with the lock's hash."""
    if missing := [each for each in ("node", "npm") if shutil.which(each) is None]:
        sys.exit(f"error: {' and '.join(missing)} is missing; {NEEDS}")
    for name in LOCKED:
        (folder / name).write_bytes(locked(name))
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    command = ["npm", "ci", "--ignore-scripts", "--omit=optional", *quiet]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: npm did not install pyright; it said:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    print(installed())
