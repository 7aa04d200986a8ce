"""A wheel and an sdist of a version: one each, which agree; whatever else is there is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from archives import INFO, NAME, PURE, sdist_bytes, wheel_bytes
from publish_fixtures import COMMIT, COMPONENT, KEY, PROJECT, SDIST, VERSION

from kfp_release.digest import Digest
from kfp_release.finding import Kind
from kfp_release.image_ref import Repository
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.release_file import ReleaseFile, file_findings, pins_of
from kfp_release.version import ReleaseVersion

DECLARED = Repository.parse("533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo")
PIN = f"{DECLARED}:1.2@sha256:{'a' * 64}"
TEXT = COMPONENT.format(PIN).encode()
PINS = Pins(
    PROJECT,
    VERSION,
    COMMIT,
    (PinnedImage("demo", DECLARED, PIN, KEY, "linux/amd64"),),
    (PinnedComponent("multiply_op", "multiply.yaml", (PIN,), Digest.of(TEXT).hex),),
)


def wheel(pins: Pins = PINS, text: bytes = TEXT) -> bytes:
    files = {"some_components/yaml/multiply.yaml": text, "some_components/pins.json": pins.to_json()}
    return wheel_bytes({**files, f"{INFO}/METADATA": b"", f"{INFO}/WHEEL": PURE, f"{INFO}/RECORD": b""})


def sdist(pins: Pins = PINS) -> bytes:
    root = SDIST.removesuffix(".tar.gz")
    return sdist_bytes({f"{root}/PKG-INFO": b"", f"{root}/kfp-release-pins.json": pins.to_json()})


def read(name: str, data: bytes) -> ReleaseFile:
    return ReleaseFile.read(PROJECT, name, data, VERSION)


def told(*files: ReleaseFile) -> list[tuple[str, str]]:
    return [(finding.kind.value, finding.text) for finding in file_findings(PROJECT, VERSION, files)]


def test_a_wheel_and_an_sdist_that_agree_are_all_there_is_to_be() -> None:
    files = read(NAME, wheel()), read(SDIST, sdist())
    assert told(*files) == []
    assert pins_of(files) == PINS
    assert [file.sha256 for file in files] == [Digest.of(wheel()).hex, Digest.of(sdist()).hex]
    assert [file.is_wheel for file in files] == [True, False]


def test_what_is_missing_is_told_for_wheel_and_sdist() -> None:
    assert told() == [
        ("wheel missing", "the index has 0 wheels of some-components 1.2, not one"),
        ("sdist missing", "the index has 0 sdists of some-components 1.2, not one"),
    ]


def test_two_wheels_are_one_too_many() -> None:
    other = "some_components-1.2-cp311-none-any.whl"
    assert told(read(NAME, wheel()), read(other, wheel()), read(SDIST, sdist())) == [
        ("several files", "the index has 2 wheels of some-components 1.2, not one")
    ]


def test_an_sdist_with_other_pins_is_named() -> None:
    other = replace(PINS, commit="d" * 40)
    assert told(read(NAME, wheel()), read(SDIST, sdist(other))) == [
        ("other pins", f"{SDIST}: its pins are not {NAME}'s")
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (NAME, b"PK", "cannot be read"),
        (SDIST, b"no archive", "cannot be read"),
        (NAME, wheel(replace(PINS, version=ReleaseVersion.parse("1.3"))), "its pins are of version 1.3"),
        (SDIST, sdist(replace(PINS, version=ReleaseVersion.parse("1.3"))), "its pins are of version 1.3"),
        (NAME, wheel(PINS, TEXT + b"# more\n"), "multiply.yaml has other bytes than its pins.json says"),
        (
            NAME,
            wheel(replace(PINS, images=(replace(PINS.images[0], pin=f"{DECLARED}:1.2"),))),
            "it pins tags alone, no digests",
        ),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(name: str, data: bytes, message: str) -> None:
    files = [read(name, data), *([read(SDIST, sdist())] if name == NAME else [read(NAME, wheel())])]
    findings = [finding for finding in file_findings(PROJECT, VERSION, files) if finding.what == name]
    assert findings[0].kind is Kind.OTHER_PINS
    assert findings[0].text.startswith(f"{name}: ")
    assert message in findings[0].text
    assert "\n" not in findings[0].text


def test_the_pins_of_an_sdist_count_where_no_wheels_can_be_read() -> None:
    assert pins_of([read(SDIST, sdist())]) == PINS
    assert pins_of([read(SDIST, sdist()), read(NAME, b"PK")]) == PINS
    other = replace(PINS, commit="d" * 40)
    assert pins_of([read(SDIST, sdist(other)), read(NAME, wheel())]) == PINS


def test_pins_that_cannot_be_read_are_not_compared() -> None:
    assert pins_of([read(NAME, b"PK"), read(SDIST, b"no archive")]) is None
    assert [kind for kind, _ in told(read(NAME, b"PK"), read(SDIST, sdist()))] == ["other pins"]
