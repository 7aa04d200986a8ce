"""One thing of a public version beside what its tag gives again: identical, of the same content, or what differs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kfp_release.archive import differing_members, members_of
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image import LABEL_RUNTIME_KEY, Image, without_package
from kfp_release.manifest import BadImage, Descriptor
from kfp_release.member import BadArchive
from kfp_release.record import PinnedImage, Pins
from kfp_release.sdist import read_tar
from kfp_release.terminal_text import one_line
from kfp_release.withheld import Withheld

NONE: Final = "none"
"""What stands where one of the two is not there."""
_SHOWN = 3
"""Differing files that a line names."""
_FORM = ("created", "history")
"""What a config says of how and when it was made; the rest is what runs."""
OTHER_TOOLS = (
    "other tools may give other bytes: compare those below with the tools of the version's own release.json, install "
    "what that names, and look again; if it stays so, withdraw the version, and release the next"
)


class Verdict(StrEnum):
    """What it comes to. The words are for people and for programs."""

    IDENTICAL = "identical"
    SAME_CONTENT = "same content"
    DIFFERS = "differs"
    ABSENT = "not attached"
    """Of what a release of an older version of this tool has not."""
    NOT_REBUILT = "not rebuilt"
    """Of what agrees with something that is public as well, and could not be made again."""


@dataclass(frozen=True, slots=True)
class RebuiltPart:
    """One of them, as it is public and rebuilt: a commit, a runtime's key, an image's digest or a file's sha256."""

    what: str
    published: str
    rebuilt: str
    verdict: Verdict
    text: str = ""
    """What is not identical, in a line; empty where all is."""
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """For ``--json``."""
        return {
            "what": self.what,
            "published": self.published,
            "rebuilt": self.rebuilt,
            "verdict": self.verdict.value,
            "message": self.text,
            "remedy": self.remedy,
        }


def commit_part(pins: Pins | None, *, tag: str, commit: str) -> RebuiltPart:
    """The commit that the tag is at, beside that of the pins."""
    what, published = f"commit of {tag}", pins.commit if pins else ""
    if published == commit:
        return RebuiltPart(what, commit, commit, Verdict.IDENTICAL)
    said = f"were made from commit {published}" if published else "tell of no commit"
    remedy = f"git ls-remote --tags origin {tag} tells whether only this clone has it there"
    if published:
        remedy += f"; a tag that was moved is put back: git tag --force {tag} {published}"
    text = f"{tag} is at commit {commit}, and the published files {said}"
    return RebuiltPart(what, published or NONE, commit, Verdict.DIFFERS, text, remedy)


def key_part(pinned: PinnedImage | None, published: Image | Withheld, *, name: str, key: str) -> RebuiltPart:
    """The runtime's key of the commit's sources, beside those of the pins and of the image's label."""
    pins_say = pinned.runtime_key if pinned else NONE
    label_says = published.config.labels.get(LABEL_RUNTIME_KEY, NONE) if isinstance(published, Image) else NONE
    what = f"runtime key of {name}"
    if pins_say == label_says == key:
        return RebuiltPart(what, key, key, Verdict.IDENTICAL)
    text = f"{what}: the commit's sources give {key}, the pins say {pins_say}, and the image's label {label_says}"
    remedy = "set what the release had set (KFP_RELEASE_BUILD_ARG_…); else it was made of another Dockerfile or context"
    return RebuiltPart(what, pins_say, key, Verdict.DIFFERS, text, remedy)


def runtime_part(published: Image | Withheld, runtime: Image | Withheld, *, what: str) -> RebuiltPart:
    """`runtime`, beside the one that the public image stands on: that image without its package layer."""
    if isinstance(runtime, Withheld):
        return _no_runtime(what, published, runtime)
    if isinstance(published, Withheld):
        return _no_image(what, str(runtime.manifest.digest), published)
    try:
        return _image_part(what, without_package(published), runtime, None)
    except BadImage as error:
        return _foreign(what, published, runtime, one_line(str(error.args[0])))


def image_part(published: Image | Withheld, rebuilt: Image, *, name: str, package: Sequence[str] = ()) -> RebuiltPart:
    """The image; `package` are the files of its package layer that differ."""
    what = f"image {name}"
    if isinstance(published, Withheld):
        return _no_image(what, str(rebuilt.manifest.digest), published)
    return _image_part(what, published, rebuilt, package)


def package_differences(published: bytes, rebuilt: bytes) -> list[str]:
    """The files that differ in two package layers. Raise `BadArchive` where one is none."""
    theirs, ours = (read_tar("the package layer", data) for data in (published, rebuilt))
    return differing_members(theirs, ours)


def file_part(filename: str, published: bytes, rebuilt: bytes) -> RebuiltPart:
    """A wheel or sdist; `published` comes from outside and may be no archive."""
    theirs, ours = Digest.of(published).hex, Digest.of(rebuilt).hex
    if theirs == ours:
        return RebuiltPart(filename, theirs, ours, Verdict.IDENTICAL)
    try:
        differing = differing_members(members_of(filename, published), members_of(filename, rebuilt))
    except BadArchive as error:
        text = f"{filename}: {one_line(str(error.args[0]))}"
        return RebuiltPart(filename, theirs, ours, Verdict.DIFFERS, text, OTHER_TOOLS)
    if not differing:
        text = f"{filename}: the same files, packed otherwise; an index or mirror may have packed it anew"
        return RebuiltPart(filename, theirs, ours, Verdict.SAME_CONTENT, text)
    return RebuiltPart(filename, theirs, ours, Verdict.DIFFERS, f"{filename}: {first_few(differing)}", OTHER_TOOLS)


def lone_part(*, what: str, text: str, published: str = NONE, rebuilt: str = NONE) -> RebuiltPart:
    """What is there once: public and not of the tag, or of the tag and not public."""
    remedy = "see what changed: kfp-release status" if published == NONE else OTHER_TOOLS
    return RebuiltPart(what, published, rebuilt, Verdict.DIFFERS, f"{what}: {text}", remedy)


def _foreign(what: str, published: Image, runtime: Image, why: str) -> RebuiltPart:
    """Of an image that another tool wrote: its layers tell, and its settings are compared with the image."""
    ours = str(runtime.manifest.digest)
    if published.config.diff_ids[:-1] == runtime.config.diff_ids:
        text = f"{what}: its layers are below the package layer; the image is in another form ({why})"
        text += _by_diff_ids(published.manifest.layers[:-1], runtime.manifest.layers)
        return RebuiltPart(what, NONE, ours, Verdict.SAME_CONTENT, text)
    return RebuiltPart(what, NONE, ours, Verdict.DIFFERS, f"{what}: what is below cannot be told: {why}", OTHER_TOOLS)


def _no_runtime(what: str, published: Image | Withheld, why: Withheld) -> RebuiltPart:
    there = NONE
    with contextlib.suppress(BadImage):
        there = str(without_package(published).manifest.digest) if isinstance(published, Image) else NONE
    text = f"{what}: {why.text}, and without it nothing can be rebuilt"
    remedy = f"{why.remedy}; or build it anew with --rebuild-runtime"
    return RebuiltPart(what, there, NONE, Verdict.DIFFERS, text, remedy)


def _no_image(what: str, rebuilt: str, why: Withheld) -> RebuiltPart:
    return RebuiltPart(what, NONE, rebuilt, Verdict.DIFFERS, f"{what}: {why.text}", why.remedy)


def _image_part(what: str, published: Image, rebuilt: Image, package: Sequence[str] | None) -> RebuiltPart:
    """`package` is None of images that have no package layer."""
    theirs, ours = str(published.manifest.digest), str(rebuilt.manifest.digest)
    if theirs == ours:
        return RebuiltPart(what, theirs, ours, Verdict.IDENTICAL)
    try:
        differing = list(_differences(published, rebuilt))
    except ReleaseError as error:
        differing = [one_line(str(error.args[0]))]
    if not differing and not package:
        text = f"{what}: the same layers and settings, in other bytes of manifest, config or compression"
        below = len(rebuilt.manifest.layers) - (package is not None)  # the package layer is compared by file
        text += _by_diff_ids(published.manifest.layers[:below], rebuilt.manifest.layers[:below])
        return RebuiltPart(what, theirs, ours, Verdict.SAME_CONTENT, text)
    if package:
        differing.append(f"in the package layer {first_few(package)}")
    return RebuiltPart(what, theirs, ours, Verdict.DIFFERS, f"{what}: {'; '.join(differing)}", OTHER_TOOLS)


def _by_diff_ids(published: Sequence[Descriptor], rebuilt: Sequence[Descriptor]) -> str:
    """What the claim rests on of layers in other bytes: the config's word. They can be hundreds of megabytes."""
    other = [theirs for theirs, ours in zip(published, rebuilt, strict=True) if theirs.digest != ours.digest]
    if not other:
        return ""
    count, size = len(other), sum(layer.size for layer in other)
    which = f"{count} layer{'s' * (count > 1)} ({size:,} bytes)"
    return f"; that {which} of other bytes hold the same is what the public config says (diff_ids): not downloaded"


def _differences(published: Image, rebuilt: Image) -> Iterator[str]:
    """What of the content differs: labels, layers, and all else that a config says of what runs."""
    theirs, ours = published.config, rebuilt.config
    for label in sorted(theirs.labels.keys() | ours.labels.keys()):
        if theirs.labels.get(label) != ours.labels.get(label):
            yield f"its label {label} is {theirs.labels.get(label)!r}, and {ours.labels.get(label)!r} rebuilt"
    yield from _layer_differences(published, rebuilt)
    there, here = _settings(theirs.value), _settings(ours.value)
    if other := [key for key in sorted(there.keys() | here.keys()) if there.get(key) != here.get(key)]:
        yield f"its {', '.join(other)} is another"


def _layer_differences(published: Image, rebuilt: Image) -> Iterator[str]:
    theirs, ours = published.config.diff_ids, rebuilt.config.diff_ids
    if len(theirs) != len(ours):
        yield f"it has {len(theirs)} layers, and {len(ours)} rebuilt"
    differing = [number for number, pair in enumerate(zip(theirs, ours, strict=False)) if pair[0] != pair[1]]
    if differing:
        first = differing[0]
        also = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
        made_by = _made_by(rebuilt, first)
        yield f"layer {first + 1} of {len(ours)}{made_by} holds {theirs[first]}, and {ours[first]} rebuilt{also}"


def _made_by(image: Image, number: int) -> str:
    """The Dockerfile's step that made a layer, where the config tells. The image is our own."""
    steps = [item for item in image.config.value.get("history", ()) if not item.get("empty_layer")]
    step = str(steps[number].get("created_by", "")) if number < len(steps) else ""
    return f" ({one_line(step, 80)})" if step else ""


def _settings(value: Mapping[str, Any]) -> dict[str, Any]:
    """All but labels and layers, which are told of by themselves; what is empty is not there.

    Those of `config` are named so, for a key of the same name may stand beside it.
    """
    top = {key: item for key, item in value.items() if key not in {*_FORM, "config", "rootfs"}}
    run = {f"config.{key}": item for key, item in (value.get("config") or {}).items() if key != "Labels"}
    return {key: item for key, item in {**top, **run}.items() if item}


def first_few(differing: Sequence[str]) -> str:
    """Some of what differs, for a line."""
    more = len(differing) - _SHOWN
    return one_line(", ".join(differing[:_SHOWN]) + (f", and {more} more" if more > 0 else ""))
