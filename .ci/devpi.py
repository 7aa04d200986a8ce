"""Install devpi-server as locks/devpi.lock says, unless it is there, and print the folder of its programs.

Tests release to a devpi of their own. It wants other versions of what `kfp-release` needs, so it has an environment of
its own, in build/devpi.
"""

import fcntl
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCK = PROJECT / "locks" / "devpi.lock"


def installed() -> Path:
    """Where devpi-init and devpi-server are. Two at a time wait for each other."""
    folder = PROJECT / "build" / "devpi"
    folder.mkdir(parents=True, exist_ok=True)
    programs, done = folder / "environment" / "bin", folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file() or done.read_bytes() != LOCK.read_bytes() or not (programs / "devpi-server").is_file():
            done.unlink(missing_ok=True)
            install(programs.parent)
            done.write_bytes(LOCK.read_bytes())
    return programs


def install(environment: Path) -> None:
    """Make the environment anew; pip compares each file with the lock's hash."""
    shutil.rmtree(environment, ignore_errors=True)
    venv.create(environment, with_pip=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    command = [environment / "bin" / "python", "-m", "pip", "install", *quiet, "-r", LOCK]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: pip did not install devpi-server; it said:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    print(installed())
