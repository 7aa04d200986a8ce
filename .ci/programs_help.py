"""Release this commit into a sandbox, and run each program's --help inside the image that came of it.

Needs a clean checkout with its tags: the release is a snapshot.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.sandbox import Sandbox
from kfp_release.signals import signals_end_the_block

PROJECT = Path(__file__).resolve().parent.parent


def main() -> int:
    """1 where the release or a program fails."""
    programs = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    failed = []
    with (
        signals_end_the_block(),
        tempfile.TemporaryDirectory(prefix="kfp-release-") as folder,
        Console() as console,
        Sandbox(Path(folder), engine=True, progress=console) as sandbox,
    ):
        environ = {**os.environ, **sandbox.environ}
        command = [sys.executable, "-m", "kfp_release", "-C", PROJECT, "release", "--snapshot", "--create-repository"]
        done = subprocess.run([*command, "--json"], env=environ, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            return done.returncode
        for image in json.loads(done.stdout)["images"].values():
            for program in programs:
                console.step(f"{program} --help in {image}")
                run = ["docker", "run", "--rm", "--network=none", image, program, "--help"]
                if subprocess.run(run, env=environ, check=False).returncode:
                    failed.append(f"{program} in {image}")
    sys.stderr.writelines(f"error: {name} does not show its help\n" for name in failed)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ReleaseError as error:
        sys.exit(f"error: {error}")
