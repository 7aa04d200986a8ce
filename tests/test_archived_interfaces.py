from __future__ import annotations

import pytest
from archives import FILES, NAME, sdist_bytes, wheel_bytes

from kfp_release.archived_interfaces import archived_interfaces
from kfp_release.errors import ReleaseError
from kfp_release.record import Pins
from kfp_release.version import ReleaseVersion

PINS = Pins("some-components", ReleaseVersion.parse("1.2"), "0" * 40, (), components=()).to_json()
ROOT = "some_components-1.2"
SDIST = {
    f"{ROOT}/PKG-INFO": b"Metadata-Version: 2.4\nName: some-components\nVersion: 1.2\n\n",
    f"{ROOT}/pyproject.toml": b'[project]\nname = "some-components"\n[tool.kfp-release]\ncomponents = "a/parts"\n',
    f"{ROOT}/a/parts/multiply.yaml": b"name: x\n",
    f"{ROOT}/a/parts/README.md": b"",
    f"{ROOT}/a/parts/deeper/other.yaml": b"",
    f"{ROOT}/yaml/another.yaml": b"",
}


def test_a_wheel_s_are_those_of_its_package() -> None:
    found = archived_interfaces(NAME, wheel_bytes({**FILES, "some_components/pins.json": PINS, "yaml/x.yaml": b""}))
    assert found.files == {"some_components/yaml/multiply.yaml": b"image: x\n"}
    assert (found.name, str(found.version), found.distribution) == (NAME, "1.2", "some-components")
    assert (found.prefix, found.is_archive) == (f"{NAME}:", True)


def test_an_sdist_s_are_those_right_in_the_folder_that_its_configuration_names() -> None:
    found = archived_interfaces(f"{ROOT}.tar.gz", sdist_bytes(SDIST))
    assert found.files == {"a/parts/multiply.yaml": b"name: x\n"}
    assert (str(found.version), found.distribution) == ("1.2", "some-components")


REFUSED = {
    "no pins": (
        NAME,
        wheel_bytes({path: data for path, data in FILES.items() if "pins" not in path}),
        "has 0 pins.json",
    ),
    "no wheel": (NAME, b"PK", "cannot be read"),
    "no name of a wheel": ("a.whl", wheel_bytes(), "is not a wheel's file name"),
    "no configuration": (
        f"{ROOT}.tar.gz",
        sdist_bytes({**SDIST, f"{ROOT}/pyproject.toml": b""}),
        "names no folder of component files",
    ),
    "a wrong configuration": (
        f"{ROOT}.tar.gz",
        sdist_bytes({**SDIST, f"{ROOT}/pyproject.toml": b"["}),
        f"{ROOT}.tar.gz:pyproject.toml: the file is not TOML",
    ),
    "no pyproject.toml": (
        f"{ROOT}.tar.gz",
        sdist_bytes({path: data for path, data in SDIST.items() if "pyproject" not in path}),
        "has no pyproject.toml",
    ),
}


@pytest.mark.parametrize(("name", "data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_has_none_is_refused(name: str, data: bytes, message: str) -> None:
    with pytest.raises(ReleaseError, match=message.replace(".", r"\.")):
        archived_interfaces(name, data)
