"""What should be, held against what is: a row a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kfp_release.commit import is_commit
from kfp_release.desired_release import DesiredRelease
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.finding import Finding, Kind
from kfp_release.image import LABEL_REVISION, LABEL_VERSION
from kfp_release.image_ref import Repository
from kfp_release.record import PinnedImage, Pins
from kfp_release.release_file import ReleaseFile, file_findings, pins_of
from kfp_release.release_image import ReleaseImage, pinned_findings, unpinned_findings
from kfp_release.status_row import ImageState, StatusRow
from kfp_release.terminal_text import one_line
from kfp_release.version import ReleaseVersion, delete_tag


@dataclass(frozen=True, slots=True)
class Seen:
    """What ECR and the index have."""

    images: Mapping[tuple[Repository, str | Digest], ReleaseImage]
    """By each of their tags, and by digest."""
    files: Mapping[ReleaseVersion, Sequence[ReleaseFile]]
    """Of all projects."""
    unasked: Mapping[Repository, ReleaseError] = field(default_factory=dict)
    """The repositories that could not be asked, and why."""
    tags: Mapping[ReleaseVersion, Sequence[str]] = field(init=False)
    """The image tags of each version, in any repository: 1.2 and 1.2.0 are both of 1.2."""

    def __post_init__(self) -> None:
        tags: dict[ReleaseVersion, list[str]] = {}
        for tag in sorted({key for _, key in self.images if isinstance(key, str)}):
            if (version := ReleaseVersion.of_image_tag(tag)) is not None:
                tags.setdefault(version, []).append(tag)
        object.__setattr__(self, "tags", tags)

    @property
    def versions(self) -> frozenset[ReleaseVersion]:
        """All that there is something of."""
        return frozenset([*self.tags, *self.files])


def compare(desired: DesiredRelease, seen: Seen) -> StatusRow:
    """The row of one version."""
    files = tuple(file for file in seen.files.get(desired.version, ()) if file.project in desired.projects)
    pins = pins_of(file for file in files if file.project == desired.distribution)
    pinned = {image.name: image for image in pins.images if image.is_exact} if pins else {}
    findings = [
        *_of_git(desired, pins, seen),
        *_of_images(desired, pins, pinned, seen),
        *_of_other_tags(desired, pinned, seen),
        *_of_files(desired, files),
    ]
    if desired.equal_tags:  # what the version should be cannot be told before there is one tag alone
        findings = [_equal_tags(desired, pins)]
    return StatusRow(
        version=desired.version,
        commit=desired.commit,
        withdrawn=desired.withdrawn,
        distribution=desired.distribution,
        images=tuple(_image(name, at, pinned.get(name), desired, seen) for name, at in desired.images),
        files=files,
        findings=tuple(findings),
    )


def _equal_tags(desired: DesiredRelease, pins: Pins | None) -> Finding:
    """All tags but one have to go: the one stays that was released, if one was."""
    tag, *others = tags = [desired.version.tag, *desired.equal_tags]
    named = f"git has the tags {', '.join(others)} and {tag}, which are one version, {desired.version}"
    released = pins.version.tag if pins and not pins.version.is_snapshot else ""
    kept = released if released in tags else tag
    return Finding(Kind.EQUAL_TAGS, tag, named, " && ".join(delete_tag(other) for other in tags if other != kept))


def _of_git(desired: DesiredRelease, pins: Pins | None, seen: Seen) -> Iterator[Finding]:
    version = desired.version
    if not desired.commit:
        if not version.is_snapshot:
            remedy = ""
            if ReleaseVersion.of_tag(version.tag):  # not for 1.2+local, say, which no release tag can name
                back = f"git tag {version.tag} {_commit(desired, pins, seen)} && git push origin {version.tag}"
                remedy = f"git fetch --tags; if it was deleted: {back}"
            yield Finding(Kind.NO_GIT_TAG, version.tag, f"git has no tag {version.tag}", remedy)
    elif pins is not None and pins.commit != desired.commit:
        back = f"git tag --force {version.tag} {pins.commit} && git push --force origin {version.tag}"
        yield Finding(
            Kind.OTHER_COMMIT,
            desired.distribution,
            f"git has {version.tag} at {desired.commit}, the published pins are of {pins.commit or 'no commit'}",
            f"if the tag was moved, put it back: {back}" if pins.commit else "",
        )


def _commit(desired: DesiredRelease, pins: Pins | None, seen: Seen) -> str:
    """What the version was made from, as its pins or its images say."""
    images = [seen.images.get((at, desired.version.image_tag)) for _, at in desired.images]
    labels = [(image.labels or {}).get(LABEL_REVISION, "") for image in images if image]
    return next(filter(is_commit, [pins.commit if pins else "", *labels]), "COMMIT")


def _of_images(
    desired: DesiredRelease, pins: Pins | None, pinned: Mapping[str, PinnedImage], seen: Seen
) -> Iterator[Finding]:
    for name, at in desired.images:
        if error := seen.unasked.get(at):
            yield Finding(Kind.REPOSITORY_NOT_ASKED, name, f"{at}: {one_line(str(error.args[0]))}", error.remedy)
            continue
        tagged = seen.images.get((at, desired.version.image_tag))
        image = pinned.get(name)
        if pins is None or image is None:
            labels = {LABEL_VERSION: str(desired.version)}
            labels |= {LABEL_REVISION: desired.commit} if desired.commit else {}
            yield from unpinned_findings(name, at, desired.version.image_tag, tagged, labels=labels)
        elif image.repository == at and image.ref.tag == desired.version.image_tag:
            exact = seen.images.get((at, image.ref.digest))
            yield from pinned_findings(image, pins, tagged=tagged, exact=exact)
    wanted = {name: f"{at}:{desired.version.image_tag}" for name, at in desired.images}
    for name, image in pinned.items():
        # No other repository is asked: what a wheel names is not for it to say.
        if (should := wanted.get(name)) != image.pin.partition("@")[0]:
            text = f"{name} is pinned to {image.pin}, the commit's configuration names {should or 'no such image'}"
            yield Finding(Kind.OTHER_PINS, name, text)


def _of_other_tags(desired: DesiredRelease, pinned: Mapping[str, PinnedImage], seen: Seen) -> Iterator[Finding]:
    """Images under another spelling of the version: PEP 440 calls 1.2 and 1.2.0 the same one."""
    own, in_use = desired.version.image_tag, {image.ref.digest for image in pinned.values()}
    for name, at in desired.images:
        for tag in seen.tags.get(desired.version, ()):
            image, ours = seen.images.get((at, tag)), seen.images.get((at, own))
            if image and tag != own and (ours is None or ours.digest != image.digest):
                text = f"{at}:{tag}: ECR has this image, and as versions {tag} and {own} are one"
                delete = f"aws ecr batch-delete-image --repository-name {at.name} --image-ids imageTag={tag}"
                remedy = "" if image.digest in in_use else f"if no pipeline runs it: {delete}"
                yield Finding(Kind.EQUAL_TAGS, name, text, remedy)


def _of_files(desired: DesiredRelease, files: Sequence[ReleaseFile]) -> Iterator[Finding]:
    for project in desired.projects:
        yield from file_findings(project, desired.version, [file for file in files if file.project == project])
    for file in files:
        if file.is_yanked:
            text = f"{file.filename}: the index has it as yanked (PEP 592)"
            remedy = f"withdraw {desired.version} in CHANGELOG.md too, or take that back on the index"
            yield Finding(Kind.FILE_YANKED, file.filename, text, remedy)


def _image(name: str, at: Repository, pinned: PinnedImage | None, desired: DesiredRelease, seen: Seen) -> ImageState:
    tag = desired.version.image_tag
    tagged = seen.images.get((at, tag))
    return ImageState(name, at, tag, tagged.digest if tagged else None, pinned.ref.digest if pinned else None)
