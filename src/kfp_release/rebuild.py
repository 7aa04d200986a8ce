"""Makes a public version again from its tag, and holds what comes out against what is public.

All is made of the tag's commit in a folder for scratch; the checkout is neither used nor touched, and nothing is sent.
An image is compared as it comes out, for a release that finds one of the same content would adopt that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from kfp_release.build import build
from kfp_release.buildah import BUILT, Builder
from kfp_release.built import BuiltRelease
from kfp_release.config import PYPROJECT, Config
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.finding import Finding
from kfp_release.git import Git
from kfp_release.image import Image, normal_runtime
from kfp_release.image_ref import Repository
from kfp_release.materials import Materials
from kfp_release.plan import Plan
from kfp_release.planned_image import PlannedImage
from kfp_release.progress import Progress
from kfp_release.published_image import handed_out, published_image
from kfp_release.rebuilt import Rebuilt
from kfp_release.rebuilt_part import (
    RebuiltPart,
    Verdict,
    commit_part,
    file_part,
    image_part,
    key_part,
    lone_part,
    package_differences,
    runtime_part,
)
from kfp_release.rebuilt_sbom import image_sbom_part, sbom_of_runtime
from kfp_release.record import Distribution, Pins
from kfp_release.released_files import PackageIndex, file_bytes, files_by_version
from kfp_release.runtime import find_runtime, runtime_tag
from kfp_release.runtime_sbom import made_sbom
from kfp_release.runtime_sources import RuntimeSources
from kfp_release.sbom import Sbom
from kfp_release.settings import ImageSettings
from kfp_release.source import Source
from kfp_release.terminal_text import one_line
from kfp_release.unpinned import building
from kfp_release.verify import verify
from kfp_release.withheld import BAD_RUNTIME, NO_IMAGE, NO_RUNTIME, Withheld


def committed_config(git: Git, source: Source, environ: Mapping[str, str]) -> Config:
    """The configuration that the commit has. Raise `ReleaseError` where it has none, `Problems` where it is wrong."""
    found = git.files(source.commit, [PYPROJECT])
    if PYPROJECT not in found:
        raise ReleaseError(
            f"the commit of {source.tag} has no {PYPROJECT} in this folder",
            remedy="name the folder that the project had then with -C; what was released otherwise cannot be rebuilt",
        )
    return Config.parse(found[PYPROJECT].data, environ)


@dataclass(frozen=True, slots=True)
class _Image:
    """An image of the version: its settings, what is public of it, and the runtime that it is rebuilt on."""

    settings: ImageSettings
    materials: Materials
    published: Image | Withheld
    runtime: Image | Withheld
    sbom: Sbom | None
    """Of the runtime."""
    is_anew: bool
    """Whether that is made of its layers; else it is the one that is attached."""
    parts: tuple[RebuiltPart, ...]
    """Those of its runtime."""

    def planned(self, *, adopts: bool = False) -> PlannedImage:
        settings = self.settings
        return PlannedImage(
            name=settings.name,
            declared=settings.declared,
            repository=settings.repository,
            repository_exists=True,
            runtime_key=self.materials.key,
            platform=settings.platform,
            materials=self.materials,
            interpreter=settings.interpreter,
            runtime=self.runtime if isinstance(self.runtime, Image) else None,
            existing=self.published if adopts and isinstance(self.published, Image) else None,
            runtime_sbom=self.sbom,
        )


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Where versions are looked for, and what they are made again with. It sends nothing to ECR and the index."""

    project: Path
    stores: Callable[[Repository], EcrRepository]
    index: PackageIndex
    progress: Progress
    builder: Builder | None = None
    """Builds each runtime anew, to compare it as well; None takes those of ECR."""
    ssh: Sequence[str] = field(default=(), kw_only=True)
    secrets: Sequence[str] = field(default=(), kw_only=True)

    def rebuild(self, source: Source, config: Config) -> Rebuilt:
        """`source` is the tag's, `config` its commit's.

        Raise `ReleaseError` where nothing of the version is public, something cannot be asked, or it does not build.
        """
        self.progress.step(f"look at {source.version} on the index and in ECR")
        verified = verify(source.version, distribution=config.distribution, index=self.index, stores=self.stores)
        if not verified.files:
            raise ReleaseError(
                f"{verified.problems[0]}, so there is nothing to compare",
                remedy="kfp-release status tells what is public; --index-url names another index",
            )
        pins = verified.pins
        parts = [commit_part(pins, tag=source.tag, commit=source.commit), *_unknown(pins, config)]
        images = [self._image(settings, source, pins) for settings in config.images]
        parts += [part for image in images for part in image.parts]
        if any(isinstance(image.runtime, Withheld) for image in images):
            return Rebuilt(verified, source, tuple(parts), {})
        plan = Plan(source, config.distribution, tuple(image.planned() for image in images), files={})
        with TemporaryDirectory(prefix="kfp-release-") as folder:
            built, compared = self._build(plan, images, Path(folder))
            self.progress.step("compare")
            return Rebuilt(verified, source, (*parts, *compared, *self._files(built)), built.record.tools)

    def _image(self, settings: ImageSettings, source: Source, pins: Pins | None) -> _Image:
        sources = RuntimeSources.read(settings, partial(Git(self.project).files, source.commit))
        materials = sources.materials(settings)
        key = materials.key
        pinned = next((image for image in pins.images if image.name == settings.name), None) if pins else None
        published = published_image(self.stores(pinned.repository), pinned) if pinned and pinned.is_exact else NO_IMAGE
        store, sbom, is_anew = self.stores(settings.repository), None, True
        runtime = handed_out(partial(find_runtime, store, key), absent=NO_RUNTIME, damaged=BAD_RUNTIME)
        what = f"runtime of {settings.name}"
        parts = [key_part(pinned, published, name=settings.name, key=key)]
        if isinstance(runtime, Image) or self.builder is None:
            parts.append(runtime_part(published, runtime, what=what))
        if self.builder is not None:
            anew, sbom = self._anew(self.builder, settings, sources, key)
            parts.append(runtime_part(published, anew, what=f"{what}, built anew"))
            if isinstance(runtime, Withheld):
                self.progress.note(f"{what}: {runtime.text}; the one that is built anew stands in for it")
                runtime = anew
        elif isinstance(runtime, Image):
            self.progress.step(f"read what is installed in {runtime_tag(key)}")
            sbom, is_anew = sbom_of_runtime(store, runtime, progress=self.progress)
        return _Image(settings, materials, published, runtime, sbom, is_anew, tuple(parts))

    def _anew(self, builder: Builder, settings: ImageSettings, sources: RuntimeSources, key: str) -> tuple[Image, Sbom]:
        """The runtime, and its SBOM."""
        self.progress.step(f"build {runtime_tag(key)} of {settings.name} anew")
        store = self.stores(settings.repository)
        login = store.login() if sources.draws_on(store.repository.host) else None
        request = sources.request(settings, ssh=self.ssh, secrets=self.secrets, login=login)
        with TemporaryDirectory(prefix="kfp-release-") as folder:
            layout = builder.build(request, Path(folder, "layout"), progress=self.progress)
            image = normal_runtime(layout.image(BUILT))
            layers = [layout.blob(layer) for layer in image.manifest.layers]
            return image, made_sbom(store, image, layers=layers)

    def _build(self, plan: Plan, images: Sequence[_Image], folder: Path) -> tuple[BuiltRelease, list[RebuiltPart]]:
        """What the tag gives, and its images compared with the public ones."""
        with building(self.project, plan.source, progress=self.progress) as made:
            pinned = partial(build, self.project, progress=self.progress, made=made)
            built = pinned(plan, folder / "dist")
            parts = [self._compared(image, built) for image in images]
            verdicts = {part.verdict for part in parts}
            if Verdict.SAME_CONTENT in verdicts and Verdict.DIFFERS not in verdicts:
                # A release adopts such images, and then its files pin them.
                adopted = tuple(image.planned(adopts=True) for image in images)
                built = pinned(replace(plan, images=adopted), folder / "adopted")
        return built, [*parts, *self._sboms(images, built)]

    def _sboms(self, images: Sequence[_Image], built: BuiltRelease) -> Iterator[RebuiltPart]:
        """That of each image that is public."""
        rebuilt = {pinned.name: built.sbom(pinned) for pinned in built.record.pins.images}
        for image in images:
            if isinstance(image.published, Image):
                store, digest = self.stores(image.settings.repository), image.published.manifest.digest
                name = image.settings.name
                yield image_sbom_part(store, digest, rebuilt[name], name=name, anew=image.is_anew)

    def _compared(self, image: _Image, built: BuiltRelease) -> RebuiltPart:
        name, published, rebuilt = image.settings.name, image.published, built.layout.image(image.settings.name)
        package: list[str] = []
        # Its diff_ids are what the public config says of itself; the layer is what runs.
        if isinstance(published, Image) and published.manifest.layers[-1:] != rebuilt.manifest.layers[-1:]:
            package = self._package(image, published, built.layout.blob(rebuilt.manifest.layers[-1]).read())
        return image_part(published, rebuilt, name=name, package=package)

    def _package(self, image: _Image, published: Image, ours: bytes) -> list[str]:
        """The files of the public package layer that differ, or why that cannot be told."""
        try:
            theirs = self.stores(image.settings.repository).read_blob(published.manifest.layers[-1])
            return package_differences(theirs, ours)
        except ReleaseError as error:
            return [f"what cannot be compared by file: {one_line(str(error.args[0]))}"]

    def _files(self, built: BuiltRelease) -> Iterator[RebuiltPart]:
        """Each project's files, those too that only one side has."""
        record = built.record
        for project in dict.fromkeys(item.project for item in record.distributions):
            there = {file.filename: file for file in files_by_version(self.index, project).get(record.pins.version, ())}
            ours = {item.filename: item for item in record.distributions if item.project == project}
            for name in sorted({*there, *ours}):
                if (file := there.get(name)) is None:
                    yield lone_part(what=name, rebuilt=ours[name].sha256, text="the index has it not")
                elif name not in ours:
                    yield lone_part(what=name, published=file.sha256 or "there", text="the tag gives no such file")
                else:
                    yield _file(built, ours[name], file_bytes(self.index, file))


def _file(built: BuiltRelease, ours: Distribution, theirs: bytes | Finding) -> RebuiltPart:
    if isinstance(theirs, Finding):
        text = theirs.text.removeprefix(f"{ours.filename}: ")
        return lone_part(what=ours.filename, rebuilt=ours.sha256, text=text)
    return file_part(ours.filename, theirs, built.unchanged(ours))


def _unknown(pins: Pins | None, config: Config) -> Iterator[RebuiltPart]:
    """Images that are pinned, and that the commit does not configure."""
    known = {settings.name for settings in config.images}
    for image in pins.images if pins else ():
        if image.name not in known:
            yield lone_part(what=f"image {image.name}", published=image.pin, text="the tag's commit has no such image")
