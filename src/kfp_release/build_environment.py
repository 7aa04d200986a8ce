"""Where Python builds run: an environment of its own for each set of requirements.

What is installed beside kfp-release is copied from there, without a download, where a project asks for exactly that;
everything else comes from the package index, as with any other build frontend.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path

from build.env import DefaultIsolatedEnv
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_OURS = "direct_url.json"
"""In the dist-info of what was not installed from an index: whatever its version says, an index has something else."""


@dataclass(frozen=True, slots=True)
class BuildEnvironment:
    """A virtual environment for builds, which begin when all is installed in it."""

    isolated: DefaultIsolatedEnv
    requirements: set[str] = field(default_factory=set)
    """What was asked for so far."""

    def install(self, requirements: AbstractSet[str]) -> None:
        """Make sure that `requirements` are there. Raise `subprocess.CalledProcessError` where they cannot be had."""
        missing = requirements - self.requirements
        if not missing:
            return
        found = None if self.requirements else _at_hand(missing)
        if found is None:
            self.isolated.install(missing)
        else:
            _copy(found, self._site_packages())
        self.requirements.update(missing)

    @property
    def tools(self) -> Mapping[str, str]:
        """Versions by name of all that is installed in it."""
        found = metadata.distributions(path=[str(self._site_packages())])
        return dict(sorted((canonicalize_name(item.name), item.version) for item in found))

    def _site_packages(self) -> Path:
        return next(Path(self.isolated.path).glob("lib*/python*/site-packages"))


def _at_hand(requirements: Iterable[str]) -> list[metadata.Distribution] | None:
    """What the requirements name, as it is installed here; None unless they name all of it by its exact version."""
    try:
        wanted = {canonicalize_name(item.name): item for item in map(Requirement, requirements) if _counts(item)}
        found = [metadata.distribution(name) for name in wanted]
        needed = [Requirement(text) for item in found for text in item.requires or ()]
    except (InvalidRequirement, metadata.PackageNotFoundError):
        return None
    if not all(_is_exact(item) for item in wanted.values()) or any(item.read_text(_OURS) for item in found):
        return None
    versions = {canonicalize_name(item.name): item.version for item in found if item.files}
    for item in (*wanted.values(), *filter(_counts, needed)):
        version = versions.get(canonicalize_name(item.name))
        if version is None or not item.specifier.contains(version, prereleases=True) or item.extras:
            return None
    return found


def _counts(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _is_exact(requirement: Requirement) -> bool:
    specifiers = [(item.operator, item.version.endswith(".*")) for item in requirement.specifier]
    return requirement.url is None and specifiers == [("==", False)]


def _copy(found: Iterable[metadata.Distribution], target: Path) -> None:
    """All but the scripts, which no build needs."""
    for item in found:
        for path in item.files or ():
            if path.is_absolute() or ".." in path.parts:
                continue
            source, copy = Path(str(item.locate_file(path))), target / path
            _link(source, copy)
            # Bytecode is not always listed; without it each hook would compile all that it imports.
            if path.suffix == ".py":
                _link(Path(cache_from_source(str(source))), Path(cache_from_source(str(copy))))


def _link(source: Path, target: Path) -> None:
    """As uv fills its environments: installers replace files, and write into none. What is not there is left out."""
    if not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileExistsError:  # bytecode that was listed
        return
    except OSError:  # another file system, or another user's file
        shutil.copy2(source, target)
