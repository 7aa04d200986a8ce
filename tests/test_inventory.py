"""What is installed in an image, read from layers that are made here."""

from __future__ import annotations

import tarfile

import pytest
from layer_fixtures import SITE, STATUS_PATH, Entry, info_path, layer, metadata, package, status

from kfp_release.inventory import Inventory

OS_RELEASE = b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n# x\nVERSION_ID="12"\n'


def inventory(*layers: dict[str, Entry]) -> Inventory:
    return Inventory.of([layer(entries) for entries in layers])


def packages(found: Inventory) -> dict[str, int]:
    """The layer of each."""
    return {one.package.name: one.layer for one in found.packages}


def distributions(found: Inventory) -> dict[str, int]:
    return {f"{one.distribution.name} {one.distribution.version}": one.layer for one in found.distributions}


def test_a_package_is_of_the_first_layer_from_which_on_it_was_there() -> None:
    found = inventory(
        {STATUS_PATH: status(package("base"), package("bash", "1"), package("old"))},
        {STATUS_PATH: status(package("base"), package("bash", "2"), package("new"))},
        {"opt/x": b""},
        {STATUS_PATH: status(package("base"), package("bash", "2"), package("new"), package("last"))},
    )
    assert packages(found) == {"base": 1, "bash": 2, "last": 4, "new": 2}


def test_a_package_that_was_gone_in_between_is_of_the_layer_that_brought_it_back() -> None:
    with_it, without = status(package("a"), package("b")), status(package("b"))
    found = inventory({STATUS_PATH: with_it}, {STATUS_PATH: without}, {STATUS_PATH: with_it})
    assert packages(found) == {"a": 3, "b": 1}


def test_packages_of_images_without_dpkg_are_found() -> None:
    folder = "var/lib/dpkg/status.d"
    found = inventory({f"{folder}/tzdata": package("tzdata").encode(), f"{folder}/tzdata.md5sums": b"x"})
    assert packages(found) == {"tzdata": 1}


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        (info_path("numpy"), True),
        ("usr/lib/python3/dist-packages/numpy-1.0.egg-info", True),
        ("usr/lib/python3/dist-packages/numpy-1.0.egg-info/PKG-INFO", True),
        ("site-packages/numpy-1.0.dist-info/METADATA", True),
        ("opt/a b/site-packages/numpy-1.0.dist-info/METADATA", True),
        (f"{SITE}/setuptools/_vendor/numpy-1.0.dist-info/METADATA", False),
        (f"{SITE}/numpy-1.0.dist-info/licenses/METADATA", False),
        (f"{SITE}/numpy/METADATA", False),
        ("opt/package/lib/numpy-1.0.dist-info/METADATA", False),
    ],
)
def test_distributions_are_found_where_python_looks(path: str, *, counts: bool) -> None:
    assert list(distributions(inventory({path: metadata("numpy")}))) == ["numpy 1.0"] * counts


def test_a_distribution_that_a_later_layer_replaced_or_took_away_is_not_there() -> None:
    found = inventory(
        {info_path("numpy"): metadata("numpy"), info_path("six"): metadata("six"), info_path("pip"): metadata("pip")},
        {f"{SITE}/.wh.numpy-1.0.dist-info": b"", info_path("numpy", "2.0"): metadata("numpy", "2.0")},
        {f"{SITE}/.wh.pip-1.0.dist-info": b""},
    )
    assert distributions(found) == {"numpy 2.0": 2, "six 1.0": 1}


def test_metadata_that_cannot_be_read_is_told() -> None:
    found = inventory(
        {
            info_path("broken"): b"\xff\xfe",
            info_path("linked"): (tarfile.SYMTYPE, "/nowhere"),
            info_path("named-\udcff"): b"",
            info_path("six"): metadata("six"),
        }
    )
    assert list(distributions(found)) == ["six 1.0"]
    assert found.unread == (
        f"/{info_path('broken')}",
        f"/{info_path('linked')}",
        f"/{SITE}/named-\\udcff-1.0.dist-info/METADATA",
    )


@pytest.mark.parametrize("path", ["etc/os-release", "usr/lib/os-release"])
def test_the_system_is_known_by_os_release(path: str) -> None:
    found = inventory({path: OS_RELEASE, "etc/hostname": b"x"})
    assert (found.os["ID"], found.os["VERSION_ID"]) == ("debian", "12")


def test_os_release_may_be_a_link() -> None:
    found = inventory({"etc/os-release": (tarfile.SYMTYPE, "../usr/lib/os-release"), "usr/lib/os-release": OS_RELEASE})
    assert found.os["ID"] == "debian"


@pytest.mark.parametrize("text", [b"\xff", b"ID", b"ID='", b"=\n", b"id=debian"])
def test_another_os_release_is_survived(text: bytes) -> None:
    assert inventory({"etc/os-release": text}).os.get("ID") in {None, "'"}


def test_a_base_that_is_not_debian_has_no_packages() -> None:
    found = inventory({"etc/os-release": b"ID=alpine\n", "lib/apk/db/installed": b"P:musl\n"})
    assert (found.packages, found.distributions, found.os) == ((), (), {"ID": "alpine"})


def test_the_folder_and_the_python_of_a_distribution_are_known() -> None:
    found = inventory({info_path("a"): metadata("a"), "usr/lib/python3/dist-packages/b-1.egg-info": metadata("b")})
    assert [(one.folder, one.python) for one in found.distributions] == [
        (f"/{SITE}", "3.12"),
        ("/usr/lib/python3/dist-packages", "3"),
    ]
