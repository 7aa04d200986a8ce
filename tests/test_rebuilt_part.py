"""What is public beside what was rebuilt: identical, of the same content, or what differs, in words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from archives import INFO, NAME, sdist_bytes, wheel_bytes, wheel_packed_anew
from ecr_fixtures import HOST
from publish_fixtures import COMMIT, KEY, PROJECT, VERSION, parts

from kfp_release.digest import Digest
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION, Image, with_package
from kfp_release.image_ref import Repository
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor, ImageConfig, Manifest
from kfp_release.member import BadArchive
from kfp_release.rebuilt_part import (
    Verdict,
    commit_part,
    file_part,
    image_part,
    key_part,
    package_differences,
    runtime_part,
)
from kfp_release.record import PinnedImage, Pins
from kfp_release.withheld import NO_IMAGE, NO_RUNTIME, Withheld

RUNTIME, LAYER = parts()
PINNED = PinnedImage("demo", Repository.parse(f"{HOST}/demo"), f"{HOST}/demo:1.2@sha256:{'a' * 64}", KEY, "linux/amd64")
PINS = Pins(PROJECT, VERSION, COMMIT, (PINNED,), ())


def version_image(**labels: str) -> Image:
    wanted = {LABEL_VERSION: "1.2", LABEL_REVISION: COMMIT, LABEL_RUNTIME_KEY: KEY, **labels}
    return with_package(RUNTIME, LAYER, labels=wanted, created=1_800_000_000)


IMAGE = version_image()


def configured(**changed: object) -> Image:
    """The image with another config."""
    return of_config(ImageConfig.of({**IMAGE.config.value, **changed}))


def of_config(config: ImageConfig, layers: tuple[Descriptor, ...] = IMAGE.manifest.layers) -> Image:
    return Image(Manifest.of(config.descriptor, layers, IMAGE.manifest.annotations), config)


def settings(**changed: object) -> dict[str, object]:
    return {**IMAGE.config.value["config"], **changed}


def test_the_tags_commit_is_that_of_the_pins_or_not() -> None:
    same = commit_part(PINS, tag="v1.2", commit=COMMIT)
    assert (same.verdict, same.text, same.remedy) == (Verdict.IDENTICAL, "", "")
    none = commit_part(None, tag="v1.2", commit=COMMIT)
    assert (none.verdict, none.published, none.rebuilt) == (Verdict.DIFFERS, "none", COMMIT)
    assert none.text == f"v1.2 is at commit {COMMIT}, and the published files tell of no commit"
    assert none.remedy == "git ls-remote --tags origin v1.2 tells whether only this clone has it there"


def test_a_key_has_to_be_that_of_pins_and_label() -> None:
    assert key_part(PINNED, IMAGE, name="demo", key=KEY).verdict is Verdict.IDENTICAL
    label = key_part(PINNED, version_image(**{LABEL_RUNTIME_KEY: "1" * 32}), name="demo", key=KEY)
    assert label.verdict is Verdict.DIFFERS
    assert label.text.endswith(f"the commit's sources give {KEY}, the pins say {KEY}, and the image's label {'1' * 32}")
    sources = key_part(PINNED, IMAGE, name="demo", key="2" * 32)
    assert (sources.verdict, sources.published, sources.rebuilt) == (Verdict.DIFFERS, KEY, "2" * 32)
    assert "KFP_RELEASE_BUILD_ARG_" in sources.remedy
    assert key_part(None, NO_IMAGE, name="demo", key=KEY).text.endswith("the pins say none, and the image's label none")


def test_an_image_is_identical_by_its_digest() -> None:
    part = image_part(IMAGE, version_image(), name="demo")
    assert (part.verdict, part.published, part.text) == (Verdict.IDENTICAL, str(IMAGE.manifest.digest), "")


@pytest.mark.parametrize(
    "other",
    [
        of_config(ImageConfig.parse(json.dumps(IMAGE.config.value, indent=1).encode())),
        configured(created="2030-01-01T00:00:00Z", history=[{"created_by": "another tool"}] * 2),
        of_config(IMAGE.config, (*IMAGE.manifest.layers[:-1], Descriptor(OCI_LAYER_GZIP, Digest("d" * 64), 9))),
        configured(config=settings(ExposedPorts={})),
    ],
    ids=["config written otherwise", "another time and history", "another compression", "an empty setting"],
)
def test_the_same_layers_and_settings_in_another_form_are_the_same_content(other: Image) -> None:
    assert other.manifest.digest != IMAGE.manifest.digest
    part = image_part(other, IMAGE, name="demo")
    assert part.verdict is Verdict.SAME_CONTENT
    assert part.text == "image demo: the same layers and settings, in other bytes of manifest, config or compression"


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (version_image(more="x"), "image demo: its label more is 'x', and None rebuilt"),
        (configured(config=settings(Env=["LD_PRELOAD=/x.so"])), "image demo: its config.Env is another"),
        (configured(config=settings(User="0"), os="plan9"), "image demo: its config.User, os is another"),
        (configured(config=settings(Entrypoint=["x"])), "image demo: its config.Entrypoint is another"),
        (configured(config=settings(os="linux"), os="plan9"), "image demo: its config.os, os is another"),
        (RUNTIME, "it has 1 layers, and 2 rebuilt"),
    ],
    ids=["a label", "the environment", "user and system", "an entrypoint", "a key that stands in both", "a layer less"],
)
def test_what_would_run_otherwise_differs(other: Image, text: str) -> None:
    part = image_part(other, IMAGE, name="demo")
    assert part.verdict is Verdict.DIFFERS
    assert text in part.text


def test_the_first_layer_that_differs_is_named_with_its_step_and_the_files_in_it() -> None:
    diff_ids = [str(Digest("b" * 64)), str(Digest("c" * 64))]
    history = [{"created_by": "RUN apt-get"}, {"created_by": "ENV x", "empty_layer": True}, {"created_by": "package"}]
    other = configured(rootfs={"type": "layers", "diff_ids": diff_ids})
    part = image_part(other, configured(history=history), name="demo", package=["a (other bytes)"] * 5)
    assert "layer 1 of 2 (RUN apt-get) holds sha256:bbb" in part.text
    assert " rebuilt, and 1 more" in part.text
    assert part.text.endswith("in the package layer a (other bytes), a (other bytes), a (other bytes), and 2 more")


def test_a_config_that_cannot_be_read_differs() -> None:
    part = image_part(configured(config=[1]), IMAGE, name="demo")
    assert (part.verdict, part.text) == (
        Verdict.DIFFERS,
        "image demo: the image's config has a 'config' that is no object",
    )


def test_an_image_that_is_not_there_differs() -> None:
    part = image_part(NO_IMAGE, IMAGE, name="demo")
    assert (part.verdict, part.published) == (Verdict.DIFFERS, "none")
    assert part.text == "image demo: ECR hands out no image of the pinned digest"
    assert runtime_part(NO_IMAGE, RUNTIME, what="runtime of demo").verdict is Verdict.DIFFERS


def test_a_runtime_is_what_the_public_image_stands_on() -> None:
    assert runtime_part(IMAGE, RUNTIME, what="runtime of demo").verdict is Verdict.IDENTICAL
    another = runtime_part(IMAGE, IMAGE, what="runtime of demo")
    assert (another.verdict, another.published) == (Verdict.DIFFERS, str(RUNTIME.manifest.digest))
    packed = replace(RUNTIME.manifest.layers[0], digest=Digest("e" * 64))
    compressed = Image(Manifest.of(RUNTIME.config.descriptor, (packed,), {}), RUNTIME.config)
    same = runtime_part(IMAGE, compressed, what="runtime of demo")
    assert same.verdict is Verdict.SAME_CONTENT
    rests = "that 1 layer (1,000 bytes) of other bytes hold the same is what the public config says (diff_ids)"
    assert same.text.endswith(f"manifest, config or compression; {rests}: not downloaded")


def test_layers_of_an_image_that_were_not_compared_are_told_and_its_package_layer_was() -> None:
    first, last = (replace(layer, digest=Digest("e" * 64)) for layer in IMAGE.manifest.layers)
    part = image_part(of_config(IMAGE.config, (first, last)), IMAGE, name="demo")
    assert part.verdict is Verdict.SAME_CONTENT
    assert "; that 1 layer (1,000 bytes) of other bytes hold the same is what " in part.text


@pytest.mark.parametrize("why", [NO_RUNTIME, Withheld("it is ARCHIVED", "restore it")])
def test_a_runtime_that_is_withheld_is_told_with_why_and_its_remedy(why: Withheld) -> None:
    for published, there in ((IMAGE, str(RUNTIME.manifest.digest)), (NO_IMAGE, "none")):
        part = runtime_part(published, why, what="runtime of demo")
        assert (part.verdict, part.published, part.rebuilt) == (Verdict.DIFFERS, there, "none")
        assert part.text == f"runtime of demo: {why.text}, and without it nothing can be rebuilt"
        assert part.remedy == f"{why.remedy}; or build it anew with --rebuild-runtime"


def test_of_an_image_that_another_tool_wrote_the_layers_tell_what_it_stands_on() -> None:
    foreign = of_config(ImageConfig.parse(json.dumps(IMAGE.config.value, indent=1).encode()))
    same = runtime_part(foreign, RUNTIME, what="runtime of demo")
    assert (same.verdict, same.published, same.rebuilt) == (
        Verdict.SAME_CONTENT,
        "none",
        str(RUNTIME.manifest.digest),
    )
    assert "its layers are below the package layer; the image is in another form (" in same.text
    assert "is not one that kfp-release made" in same.text
    other = runtime_part(foreign, IMAGE, what="runtime of demo")
    assert other.verdict is Verdict.DIFFERS
    assert "what is below cannot be told: " in other.text
    assert runtime_part(foreign, NO_RUNTIME, what="runtime of demo").published == "none"


def test_the_files_of_package_layers_are_compared() -> None:
    ours, theirs = sdist_bytes({"opt/a.py": b"1", "opt/b.py": b""}), sdist_bytes({"opt/a.py": b"2", "opt/c.py": b""})
    assert package_differences(theirs, ours) == [
        "opt/a.py (other bytes)",
        "opt/b.py (missing)",
        "opt/c.py (added)",
    ]
    with pytest.raises(BadArchive, match="the package layer cannot be read"):
        package_differences(b"no tar", ours)


def test_a_file_is_identical_packed_otherwise_or_another() -> None:
    data = wheel_bytes()
    assert file_part(NAME, data, data).verdict is Verdict.IDENTICAL
    assert file_part(NAME, wheel_packed_anew(data), data).verdict is Verdict.SAME_CONTENT
    other = file_part(NAME, wheel_packed_anew(data, {"some_components/programs.py": b"", f"{INFO}/RECORD": b"x"}), data)
    assert (other.verdict, other.text) == (Verdict.DIFFERS, f"{NAME}: some_components/programs.py (other bytes)")
    none = file_part(NAME, b"PK", data)
    assert none.verdict is Verdict.DIFFERS
    assert f"{NAME}: {NAME} cannot be read" in none.text


def test_a_part_is_told_to_programs() -> None:
    assert file_part(NAME, wheel_bytes(), wheel_bytes()).to_json() == {
        "what": NAME,
        "published": Digest.of(wheel_bytes()).hex,
        "rebuilt": Digest.of(wheel_bytes()).hex,
        "verdict": "identical",
        "message": "",
        "remedy": "",
    }
