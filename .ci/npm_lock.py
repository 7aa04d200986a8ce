"""Install what one of the folders of locks/ says, unless it is there: an npm package, as its lock has it.

npm asks the registry that it is set up for. It goes into build/, into a folder of the same name.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCKED = ("package.json", "package-lock.json")


def installed(name: str, file: str) -> Path:
    """Where this file of the package is. Two at a time wait for each other."""
    folder = PROJECT / "build" / name
    folder.mkdir(parents=True, exist_ok=True)
    found, done = folder / "node_modules" / file, folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file() or done.read_bytes() != locked(name, LOCKED[1]) or not found.is_file():
            done.unlink(missing_ok=True)
            install(name, folder)
            done.write_bytes(locked(name, LOCKED[1]))
    return found


def locked(name: str, file: str) -> bytes:
    """One of the two files."""
    return (PROJECT / "locks" / name / file).read_bytes()


def install(name: str, folder: Path) -> None:
    """Fetch and unpack it; npm compares it with the lock's hash."""
    if missing := [each for each in ("node", "npm") if shutil.which(each) is None]:
        needs = f"{name} needs node 14 or newer and npm: apt-get install nodejs npm"
        sys.exit(f"error: {' and '.join(missing)} is missing; {needs}")
    for file in LOCKED:
        (folder / file).write_bytes(locked(name, file))
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    command = ["npm", "ci", "--ignore-scripts", "--omit=optional", *quiet]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: npm did not install {name}; it said:\n{done.stderr[-2000:]}")
