"""Get what the tests need of this machine, and say so: Debian's packages, registry, base image, pyright, axe, devpi.

Once, before the tests, which have a time limit each and run beside each other.
"""

import sys

import axe  # the script beside this one
import browser  # likewise
import devpi  # likewise
import pyright  # likewise

from kfp_release.cache import cache_folder
from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.sandbox.base import base_image
from kfp_release.sandbox.packages import docker_registry, ensure
from kfp_release.sandbox.privilege import root_prefix
from kfp_release.signals import signals_end_the_block


def main() -> None:
    """Without root's rights there is no private engine, and the tests that start one are skipped."""
    engine = () if root_prefix() is None else ("dockerd", "docker")
    with signals_end_the_block(), Console() as console:
        ensure("buildah", "mmdebstrap", "ssh", "sshd", "node", "npm", *engine, progress=console)
        browser.installed(console)
        docker_registry(cache_folder(), console)
        base_image(cache_folder(), progress=console)
    pyright.installed()
    axe.installed()
    devpi.installed()


if __name__ == "__main__":
    try:
        main()
    except ReleaseError as error:
        sys.exit(f"error: {error}")
