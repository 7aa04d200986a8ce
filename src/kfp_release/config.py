"""The configuration: ``[tool.kfp-release]`` of pyproject.toml, and the environment for staging and the sandbox.

KFP_RELEASE_REGISTRY            replaces the registry host of every owned image
KFP_RELEASE_BUILD_ARG_<NAME>    replaces the value of the declared build argument <NAME>
KFP_RELEASE_SIMPLE_URL          replaces index.simple-url
TWINE_REPOSITORY_URL            replaces index.upload-url; both together replace an index of any other kind
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.index_settings import INDEX_CHOICE, IndexSettings, read_index
from kfp_release.project_name import parse_project_name
from kfp_release.scan_rules import ScanRules
from kfp_release.settings import (
    BUILD_ARG,
    REGISTRY,
    BadSetting,
    ImageSettings,
    relative_path,
)
from kfp_release.toml_table import Table, TomlFile
from kfp_release.url import parse_url

__all__ = ["PYPROJECT", "Config", "ImageSettings"]

PYPROJECT = "pyproject.toml"
_TOOL = "kfp-release"
_KEYS = ("package", "components", "python-components", "source", "extra-projects", "images", "index", "scan")


@dataclass(frozen=True, slots=True)
class Config:
    """What ``[tool.kfp-release]`` says, with the environment's replacements made."""

    distribution: str
    """``project.name``."""
    package: str
    """The import package that the wheel pins, ``kubeflow_demo_components``."""
    components: str
    """The folder of component files, ``yaml``."""
    python_components: tuple[str, ...]
    """The modules whose functions `kfp-release compile` writes into that folder."""
    source: str
    """URL of the repository, for the images' label; never read from a git remote."""
    extra_projects: tuple[str, ...]
    """Folders of further Python projects of the repository, released unpinned under the same version."""
    images: tuple[ImageSettings, ...]
    index: IndexSettings | None
    scan: ScanRules = field(default_factory=ScanRules)

    @classmethod
    def parse(cls, pyproject: bytes, environ: Mapping[str, str]) -> Self:
        """The configuration in the bytes of a pyproject.toml, with what `environ` replaces.

        Raise `Problems` with everything that is wrong, at once.
        """
        file = TomlFile.parse(PYPROJECT, pyproject)
        distribution = read_distribution(file)
        table = _tool_table(file)
        if table is None:
            raise Problems(file.problems)
        table.refuse_unknown(_KEYS)
        package = table.read("package", package_name, required=True)
        components = table.read("components", relative_path, required=True)
        python_components = table.read_list("python-components", _module)
        source = table.read("source", parse_url, required=True)
        extra_projects = table.read_list("extra-projects", relative_path)
        images = _images(table, environ)
        index = read_index(table.child("index") if "index" in table.value else None, environ, file.problems)
        scan = ScanRules.read(table.child("scan"))
        if file.problems or distribution is None or package is None or components is None or source is None:
            raise Problems(file.problems)
        return cls(distribution, package, components, python_components, source, extra_projects, images, index, scan)

    def image(self, name: str) -> ImageSettings:
        """The owned image called `name`."""
        for image in self.images:
            if image.name == name:
                return image
        known = ", ".join(image.name for image in self.images)
        raise ReleaseError(
            f"no image is called {name[:80]!r} in [tool.kfp-release.images]", remedy=f"there is: {known}"
        )

    @property
    def mutable_images(self) -> frozenset[str]:
        """The names of those images whose tags may be moved in ECR, as it is meant."""
        return frozenset(image.name for image in self.images if image.mutable_tags)

    def require_index(self) -> IndexSettings:
        """The index; an error where none is configured."""
        if self.index is None:
            raise ReleaseError(
                f"{PYPROJECT} has no [tool.kfp-release.index]", remedy=f"add it, and in it {INDEX_CHOICE}"
            )
        return self.index


def read_distribution(file: TomlFile) -> str | None:
    """``project.name`` of a pyproject.toml. None where it has none; why not is among the file's problems then."""
    project = file.table("project")
    if project is None:
        file.report(("project",), "there is no [project] table", 'add it with name and dynamic = ["version"]')
        return None
    return project.read("name", parse_project_name, required=True)


def declared_components(name: str, pyproject: bytes) -> tuple[str, str]:
    """The distribution and the folder of component files that a pyproject.toml of any age names, else empty texts.

    Nothing else in it needs to be as this version of the tool wants it. `name` is how problems call the file.
    Raise `Problems` where it is no TOML, or the folder none.
    """
    file = TomlFile.parse(name, pyproject)
    project, table = file.table("project"), file.table("tool", _TOOL)
    components = table.read("components", relative_path) if table else None
    if file.problems:
        raise Problems(file.problems)
    distribution = project.value.get("name") if project else None
    return distribution if isinstance(distribution, str) else "", components or ""


def _tool_table(file: TomlFile) -> Table | None:
    tool = file.table("tool")
    tables = tool.value if tool is not None else {}
    near = next((key for key in tables if key != _TOOL and key.lower().replace("_", "-") == _TOOL), None)
    remedy = f"rename [tool.{near}] to [tool.{_TOOL}]" if near else "add it with package, components, source and images"
    if tool is not None and _TOOL in tables:
        if near:
            file.report(("tool", near), f"tool.{near} is not known", remedy)
        return tool.child(_TOOL)
    file.report(("tool", near) if near else (), f"there is no [tool.{_TOOL}] table", remedy)
    return None


def _images(table: Table, environ: Mapping[str, str]) -> tuple[ImageSettings, ...]:
    tables = table.tables("images")
    if not tables and not isinstance(table.value.get("images"), (str, int, float, list)):
        table.report((), f"[{table.name('images')}] names no image", f"add [{table.name('images', '<name>')}]")
    read = [ImageSettings.read(name, item, environ) for name, item in tables.items()]
    images = tuple(image for image in read if image is not None)
    _refuse_shared(table, images, environ)
    _refuse_undeclared(table, images, environ)
    return images


def _refuse_shared(table: Table, images: tuple[ImageSettings, ...], environ: Mapping[str, str]) -> None:
    owners: dict[str, str] = {}
    for image in images:
        for repository in {str(image.declared), str(image.repository)}:
            owner = owners.setdefault(repository, image.name)
            if owner != image.name:
                where = "" if repository == str(image.declared) else f" on {REGISTRY}={environ.get(REGISTRY)}"
                table.report(
                    ("images", image.name, "repository"),
                    f"images {owner} and {image.name} have one repository{where}, {repository}",
                    "give each image a repository of its own",
                )


def _refuse_undeclared(table: Table, images: tuple[ImageSettings, ...], environ: Mapping[str, str]) -> None:
    declared = sorted({name for image in images for name in image.build_args})
    for variable in sorted(environ):
        name = variable.removeprefix(BUILD_ARG)
        if variable.startswith(BUILD_ARG) and name not in declared and environ[variable]:
            known = f"declared are: {', '.join(declared)}" if declared else "no image declares one"
            table.file.problems.append(
                Problem(variable, 0, f"no image's build-args in {PYPROJECT} declare {name[:80]!r}", known)
            )


def package_name(text: str) -> str:
    """`text`, if a package can be imported by it. Raise `BadSetting` otherwise."""
    return _imported(text, "package")


def _module(text: str) -> str:
    return _imported(text, "module")


def _imported(text: str, what: str) -> str:
    if not all(part.isidentifier() and part.isascii() and not keyword.iskeyword(part) for part in text.split(".")):
        raise BadSetting(f"{text[:120]!r} is not the name of a {what}", remedy="write it as it is imported")
    return text
