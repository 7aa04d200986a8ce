"""dpkg's status, as dpkg writes it and as nobody should."""

from __future__ import annotations

import pytest
from layer_fixtures import package, status

from kfp_release.debian_package import DebianPackage, debian_packages


def names(data: bytes) -> list[str]:
    return [one.name for one in debian_packages(data)]


def test_a_package_has_its_version_architecture_and_source() -> None:
    more = "Multi-Arch: same\nSource: gcc-12 (12.2.0-14)\nDescription: a library\n of GCC\n .\n Version: 9\n"
    (found,) = debian_packages(status(package("libgcc-s1", "12.2.0-14+deb12u1", more=more)))
    assert found == DebianPackage("libgcc-s1", "12.2.0-14+deb12u1", "amd64", "gcc-12", "12.2.0-14")


def test_a_source_without_a_version_has_the_packages() -> None:
    (found,) = debian_packages(status(package("libblkid1", "2.38", more="Source: util-linux\n")))
    assert (found.source, found.source_version) == ("util-linux", "2.38")


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ("install ok installed", True),
        ("hold ok installed", True),
        ("deinstall ok config-files", False),
        ("install ok half-installed", False),
        ("install ok unpacked", False),
        ("purge ok not-installed", False),
    ],
)
def test_what_is_installed_counts(told: str, *, counts: bool) -> None:
    assert names(status(package("bash", status=told))) == ["bash"] * counts


def test_images_without_dpkg_tell_no_status() -> None:
    assert names(b"Package: tzdata\nArchitecture: all\nVersion: 2025b-0+deb12u2\n") == ["tzdata"]


def test_they_are_sorted_and_each_is_there_once() -> None:
    assert names(status(package("b"), package("a"), package("b"))) == ["a", "b"]


@pytest.mark.parametrize("between", [b"\n\n", b"\n\n\n\n", b"\n \t\n", b"\r\n\r\n"])
def test_stanzas_may_be_apart_in_several_ways(between: bytes) -> None:
    assert names(package("a").strip().encode() + between + package("b").strip().encode()) == ["a", "b"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n\n",
        b"no stanza at all",
        b"\xff\xfe\x00",
        b"Package: \nVersion: 1\nArchitecture: all\n",
        b"Package: a b\nVersion: 1\nArchitecture: all\n",
        b"Package: ../../x\nVersion: 1\nArchitecture: all\n",
        b"Package: a\nVersion: \x1b[31m\nArchitecture: all\n",
        b"Package: a\nArchitecture: all\n",
        b"Package: a\nVersion: 1\n",
        b"Package: " + b"a" * 5000 + b"\nVersion: 1\nArchitecture: all\n",
    ],
)
def test_what_is_no_stanza_is_passed_over(data: bytes) -> None:
    assert debian_packages(data) == ()
    assert names(data + b"\n\n" + package("good").encode()) == ["good"]
