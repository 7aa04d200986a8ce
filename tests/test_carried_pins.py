"""Every image that a wheel's component files name is the release's pin, or exact in itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from archives import NAME, make_wheel, sdist_bytes

from kfp_release.carried_pins import sdist_pins, wheel_pins, wheel_problems
from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.member import BadArchive
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.sdist import Sdist
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel

HOST = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
DECLARED = Repository.parse(f"{HOST}/team/demo")
STAGED = f"127.0.0.1:5000/team/demo:1.2@sha256:{'a' * 64}"
PIN = f"{DECLARED}:1.2@sha256:{'a' * 64}"
FOREIGN = f"ghcr.io/other/tool:3@sha256:{'f' * 64}"
IMAGE = PinnedImage("demo", DECLARED, PIN, "0" * 32, "linux/amd64")
COMPONENT = "name: Multiply\nimplementation:\n  container:\n    image: {}\n    command: [multiply]\n"


def component(image: str) -> bytes:
    return COMPONENT.format(image).encode()


def pins_of(files: dict[str, tuple[str, ...]], *images: PinnedImage) -> Pins:
    """The pins of component files that name these images, by file name; each names one image."""
    parts = tuple(
        PinnedComponent(f"{name.partition('.')[0]}_op", name, named, Digest.of(component(named[0])).hex)
        for name, named in files.items()
    )
    return Pins("some-components", ReleaseVersion.parse("1.2"), "c" * 40, images, parts)


def wheel_of(pins: Pins, contents: dict[str, bytes]) -> Wheel:
    files = {f"some_components/yaml/{name}": data for name, data in contents.items()}
    return make_wheel({**files, "some_components/pins.json": pins.to_json()})


def problems(image: str, *pinned: PinnedImage) -> list[str]:
    """Of a wheel with one component file that names `image`; its pins say the same of that file."""
    pins = pins_of({"a.yaml": (image,)}, *pinned)
    wheel = wheel_of(pins, {"a.yaml": component(image)})
    carried, package = wheel_pins(wheel)
    assert (carried, package) == (pins, "some_components/")
    return list(wheel_problems(wheel, carried, package))


GOOD = {
    "its pin": (PIN, IMAGE),
    "a foreign image by digest": (FOREIGN, IMAGE),
    "a foreign image by digest alone": (f"ghcr.io/other/tool@sha256:{'f' * 64}", IMAGE),
    "its pin on another registry": (STAGED, replace(IMAGE, pin=STAGED)),
    "its pin by tag, outside a release": (f"{DECLARED}:1.2", replace(IMAGE, pin=f"{DECLARED}:1.2")),
    "a repository whose name begins alike": (f"{DECLARED}-2:1.2@sha256:{'b' * 64}", IMAGE),
}


@pytest.mark.parametrize("name", GOOD)
def test_these_images_are_as_the_pins_say(name: str) -> None:
    assert problems(*GOOD[name]) == []


BAD = {
    "another digest": (f"{DECLARED}:1.2@sha256:{'b' * 64}", IMAGE),
    "another tag": (f"{DECLARED}:1.3@sha256:{'a' * 64}", IMAGE),
    "the tag alone": (f"{DECLARED}:1.2", IMAGE),
    "the digest alone": (f"{DECLARED}@sha256:{'a' * 64}", IMAGE),
    "the repository alone": (str(DECLARED), IMAGE),
    "the declared repository instead of the staged": (PIN, replace(IMAGE, pin=STAGED)),
}


@pytest.mark.parametrize("name", BAD)
def test_an_owned_image_that_is_not_its_pin_is_named_with_both(name: str) -> None:
    text, image = BAD[name]
    assert problems(text, image) == [f"{NAME}: a.yaml names {text}, and demo is pinned to {image.pin}"]


@pytest.mark.parametrize("text", ["ghcr.io/other/tool:3", "ghcr.io/other/tool", "tool@sha256:abc"])
def test_a_foreign_image_without_a_digest_is_named(text: str) -> None:
    assert problems(text, IMAGE) == [f"{NAME}: a.yaml names {text}, which carries no digest"]


@pytest.mark.parametrize("text", [PIN, FOREIGN])
def test_pins_without_an_image_are_none(text: str) -> None:
    assert problems(text) == [f"{NAME}: its pins.json pins no image"]


def test_files_that_are_not_those_of_the_pins_are_all_told_at_once() -> None:
    pins = pins_of({"a.yaml": (PIN,), "b.yaml": (PIN,), "c.yaml": (PIN,), "d.yaml": (PIN,)}, IMAGE)
    wheel = wheel_of(
        pins,
        {"a.yaml": component(FOREIGN), "b.yaml": b"image: [", "d.yaml": component(PIN), "e.yaml": component(PIN)},
    )
    *told, broken = (line.removeprefix(f"{NAME}: ") for line in wheel_problems(wheel, pins, "some_components/"))
    assert told == [
        "e.yaml is not in its pins.json",
        "c.yaml is missing",
        "a.yaml has other bytes than its pins.json says",
        f"a.yaml names {FOREIGN}, its pins.json says otherwise",
        "b.yaml has other bytes than its pins.json says",
    ]
    assert broken.startswith("b.yaml:")
    assert "\n" not in broken


def test_a_wheel_without_pins_is_refused() -> None:
    with pytest.raises(BadArchive, match=r"has 0 pins\.json beside component files, not one"):
        wheel_pins(make_wheel({"some_components/yaml/a.yaml": component(PIN)}))


def test_an_sdist_without_pins_is_refused() -> None:
    with pytest.raises(BadArchive, match=r"has no kfp-release-pins\.json"):
        sdist_pins(Sdist.parse("some_components-1.2.tar.gz", sdist_bytes({"some_components-1.2/PKG-INFO": b""})))
