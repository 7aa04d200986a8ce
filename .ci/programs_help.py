"""Release this commit into a sandbox, and run each program's --help inside the images whose components call it.

Needs a clean checkout with its tags: the release is a snapshot.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kfp_release.component_folder import ComponentFolder
from kfp_release.config import Config
from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import repository_of
from kfp_release.sandbox import Sandbox
from kfp_release.signals import signals_end_the_block

PROJECT = Path(__file__).resolve().parent.parent


def programs_of_images() -> dict[str, list[str]]:
    """The programs that the components of each image call, by the image's name."""
    config = Config.parse((PROJECT / "pyproject.toml").read_bytes(), {})
    files = ComponentFolder.read(PROJECT, config.components).files
    commands = [command for file in files for command in file.commands]
    return {
        image.name: sorted({one.program for one in commands if repository_of(one.image) == str(image.declared)})
        for image in config.images
    }


def main() -> int:
    """1 where the release or a program fails."""
    programs = programs_of_images()
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
        for name, image in json.loads(done.stdout)["images"].items():
            for program in programs[name]:
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
