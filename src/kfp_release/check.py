"""Everything that can be wrong in the sources of a release, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kfp_release.changelog import CHANGELOG, Changelog
from kfp_release.checkout_operators import CheckoutOperators
from kfp_release.compatibility_rules import compatibility_problems
from kfp_release.compiled_rules import compiled_problems
from kfp_release.component import ComponentFile
from kfp_release.component_folder import ComponentFolder
from kfp_release.component_rules import component_problems
from kfp_release.config import PYPROJECT, Config, declared_components
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.git import Git
from kfp_release.program_rules import program_problems
from kfp_release.runtime_rules import runtime_problems
from kfp_release.source import Source
from kfp_release.stub import Operator
from kfp_release.toml_table import TomlFile
from kfp_release.version import ReleaseVersion
from kfp_release.withdrawn import withdrawn_versions
from kfp_release.written import NotFree


def check(project: Path, config: Config) -> list[Problem]:
    """What is wrong in the sources of `project`: component files, programs, Dockerfiles and locks.

    Nothing is written and no network is used. Some of it may be warnings, which refuse nothing.
    """
    pyproject = TomlFile.parse(PYPROJECT, (project / PYPROJECT).read_bytes())
    owned = {str(image.declared) for image in config.images}
    folder = ComponentFolder.read(project, config.components)
    files = folder.files
    problems = [*folder.problems, *_shadowing(project, config), *_unused(files, config, pyproject)]
    for file in files:
        problems += component_problems(file, owned)
    problems += compiled_problems(files, pyproject, project=project, config=config)
    if not any(problem.severity == "error" for problem in problems):
        problems += _stub(project, config, files)
    problems += program_problems(files, pyproject, project=project, owned=owned)
    problems += runtime_problems(project, config, pyproject)
    return sorted({*problems, *pyproject.problems})


def check_component_files(project: Path) -> list[Problem]:
    """What is wrong in component files and programs, where the configuration itself is wrong.

    Any image without tag and digest counts as owned; what a release would not pin is not judged.
    """
    try:
        pyproject = TomlFile.parse(PYPROJECT, (project / PYPROJECT).read_bytes())
        _, components = declared_components(PYPROJECT, (project / PYPROJECT).read_bytes())
    except Problems:
        return []
    if not components:
        return []
    folder = ComponentFolder.read(project, components)
    owned = {image.value for file in folder.files for image in file.images if image.value == image.repository}
    problems = [*folder.problems, *(problem for file in folder.files for problem in component_problems(file, owned))]
    problems += program_problems(folder.files, pyproject, project=project, owned=owned)
    return [*problems, *pyproject.problems]


def check_release(project: Path, config: Config, git: Git, source: Source) -> list[Problem]:
    """What must hold for the version besides: its CHANGELOG section, and that it follows what was released.

    It must be higher, and break no pipeline unless it is a major version.

    `git.release_source` has looked at tag, commit and checkout. A snapshot needs neither.
    """
    if source.version.is_snapshot:
        return []
    of_changelog = changelog_problems(project, source.version)
    withdrawn = withdrawn_versions(git)
    earlier = [version for version in git.released(source.commit) if version != source.version]
    kept = [version for version in earlier if version not in withdrawn]
    return sorted(
        [
            *(of_changelog or _withdrawn(withdrawn, source.version)),
            *_order(config, source.version, earlier),
            *compatibility_problems(project, config, git, source.version, earlier=kept),
        ]
    )


def changelog_problems(project: Path, version: ReleaseVersion) -> list[Problem]:
    """Where the CHANGELOG has no section from which the notes of `version` can be made."""
    return list(_changelog(project, version))


def _shadowing(project: Path, config: Config) -> Iterator[Problem]:
    if (project / config.components / "__init__.py").exists():
        message = "would be imported in place of the package of the same name by what is started here"
        yield Problem(f"{config.components}/__init__.py", 0, message, "remove it")


def _stub(project: Path, config: Config, files: Sequence[ComponentFile]) -> Iterator[Problem]:
    """A checkout has one for editors alone; a release makes its own, which a person's files must leave room for."""
    with suppress(ReleaseError, OSError):
        try:
            stub = CheckoutOperators.of(project, config, [Operator.of(file) for file in files])
        except NotFree as error:
            yield Problem(error.path, 0, error.told, error.remedy)
            return
        if stub.is_stale:
            message = "tells editors and type checkers of other component files than there are now"
            yield Problem(stub.stub, 0, message, "kfp-release operators writes it anew", severity="warning")


def _unused(files: Sequence[ComponentFile], config: Config, pyproject: TomlFile) -> Iterator[Problem]:
    used = {image.repository for file in files for image in file.images}
    for image in config.images:
        if files and str(image.declared) not in used:
            line = pyproject.lines.get(("tool", "kfp-release", "images", image.name, "repository"), 0)
            message = f"image {image.name} is named by no component file"
            yield Problem(PYPROJECT, line, message, f"name {image.declared} in one, or remove it", severity="warning")


def _changelog(project: Path, version: ReleaseVersion) -> Iterator[Problem]:
    form = f"write ## [{version}] - <date>, and what changed below it"
    try:
        section = Changelog.parse((project / CHANGELOG).read_text(encoding="utf-8")).section(version)
    except Problems as error:
        yield from error.problems
        return
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(CHANGELOG, 0, f"cannot be read: {error}"[:200], form)
        return
    if section is None:
        yield Problem(CHANGELOG, 0, f"has no section for {version}", form)
    elif section.yanked:
        message = f"{version} is withdrawn ([YANKED])"
        yield Problem(CHANGELOG, section.line, message, "release the next version; a withdrawn one stays as it is")
    elif not section.body.strip():
        yield Problem(CHANGELOG, section.line, f"the section of {version} is empty", "say what changed")


def _withdrawn(withdrawn: Mapping[ReleaseVersion, str], version: ReleaseVersion) -> Iterator[Problem]:
    if branch := withdrawn.get(version):
        message = f"{version} is withdrawn ([YANKED]) on {branch}"
        yield Problem(CHANGELOG, 0, message, "release the next version; a withdrawn one stays as it is")


def _order(config: Config, version: ReleaseVersion, earlier: Sequence[ReleaseVersion]) -> Iterator[Problem]:
    if earlier and max(earlier) > version:
        message = f"{config.distribution} {version} would follow {max(earlier)}, which this commit contains"
        yield Problem("git", 0, message, "choose a higher version, or release from a branch off the older one")
